"""Where the dbt project in the pod comes from: baked into the image, or cloned before dbt starts."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, ValidationInfo, field_validator

from contracts.pods.names import Image, ObjectName, Parameters, Path, like

_SECTION: dict[str, JsonValue] = {"section": "Project in the pod"}
_OF_IMAGE: dict[str, JsonValue] = {**_SECTION, "when": {"project_source": "image"}}
_OF_GIT: dict[str, JsonValue] = {**_SECTION, "when": {"project_source": "git"}}
"""Asked only where the other choice makes no sense of it."""

PROJECT_VOLUME = "pilothouse-project"
CREDENTIAL_VOLUME = "pilothouse-git"
SOURCE_MOUNT = "/pilothouse/source"
"""Where the init container clones to."""
CREDENTIAL_MOUNT = "/pilothouse/git"
"""Where the init container, and no other, finds the repository's credential."""

GitUrl = Annotated[
    str,
    like(
        r"(https://|ssh://|file://|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:)\S+",
        "begin with https://, ssh:// or file://, or write git@host:path",
    ),
]
GitRef = Annotated[
    str,
    like(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}", "a branch has letters, digits, dots, dashes, underscores and slashes"),
]
GitFolder = Annotated[
    str,
    like(
        r"([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*)?", "give a folder within the repository, without a slash at either end"
    ),
]


class SourceParameters(Parameters):
    """The project's files, and which init container fetches them."""

    project_source: Literal["image", "git"] = Field(
        default="image",
        title="Project in the pod",
        description="image: baked in. git: cloned by an init container before dbt starts.",
        json_schema_extra=_SECTION,
    )
    project_directory: Path = Field(
        default="/project",
        title="Project folder",
        description="Folder of dbt_project.yml in the pod.",
        json_schema_extra=_OF_IMAGE,
    )
    profiles_directory: Path | None = Field(
        default=None,
        title="Profiles folder",
        description="Folder of profiles.yml in the pod. Empty: the project folder.",
        json_schema_extra=_SECTION,
    )
    git_url: GitUrl | None = Field(
        default=None,
        title="Repository",
        description="https, ssh or file. Without a password: that is what the git secret is for.",
        json_schema_extra=_OF_GIT,
    )
    git_branch: GitRef = Field(
        default="main",
        title="Branch or tag",
        description="What is cloned, without its history.",
        json_schema_extra=_OF_GIT,
    )
    git_subfolder: GitFolder = Field(
        default="",
        title="Subfolder",
        description="Where dbt_project.yml lies within the repository; empty when at the top.",
        json_schema_extra=_OF_GIT,
    )
    git_secret: ObjectName | None = Field(
        default=None,
        title="Git secret",
        description="A Secret of type kubernetes.io/ssh-auth (ssh-privatekey, known_hosts if you have it) or "
        "kubernetes.io/basic-auth (username, password). Only the clone sees it.",
        json_schema_extra=_OF_GIT,
    )
    git_image: Image | None = Field(
        default=None,
        title="Git image",
        description="Image with git for the init container. Empty: the same as dbt's.",
        json_schema_extra=_OF_GIT,
    )

    @field_validator("git_url")
    @classmethod
    def _is_there_and_without_a_secret(cls, url: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("project_source") == "git" and not url:
            raise ValueError("project_source git needs a git_url")
        if url and url.startswith("https://") and "@" in url.split("/")[2]:
            raise ValueError("git_url holds a user name or password, which would be stored and shown")
        return url

    @property
    def project_folder(self) -> str:
        """The folder of dbt_project.yml in the pod."""
        if self.project_source == "image":
            return self.project_directory
        return f"{SOURCE_MOUNT}/clone/{self.git_subfolder}".rstrip("/")

    @property
    def profiles_folder(self) -> str:
        """The folder of profiles.yml in the pod."""
        return self.profiles_directory or self.project_folder
