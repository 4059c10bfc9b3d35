"""Where the dbt project in the pod comes from: baked into the image, or cloned before dbt starts."""

from typing import Literal

from pydantic import Field, JsonValue, model_validator

from contracts.pods.names import IMAGE_PATTERN, Parameters

_SECTION: dict[str, JsonValue] = {"section": "Project in the pod"}

PROJECT_VOLUME = "pilothouse-project"
SOURCE_MOUNT = "/pilothouse/source"
"""Where the init container clones to."""


class SourceParameters(Parameters):
    """The project's files, and which init container fetches them."""

    project_source: Literal["image", "git"] = Field(
        default="image",
        title="Project in the pod",
        description="image: baked in. git: cloned by an init container before dbt starts.",
        json_schema_extra=_SECTION,
    )
    project_directory: str = Field(
        default="/project",
        title="Project folder",
        description="Folder of dbt_project.yml in the pod.",
        pattern=r"^/[^\r\n]*$",
        json_schema_extra=_SECTION,
    )
    profiles_directory: str | None = Field(
        default=None,
        title="Profiles folder",
        description="Folder of profiles.yml in the pod. Empty: the project folder.",
        pattern=r"^/[^\r\n]*$",
        json_schema_extra=_SECTION,
    )
    git_url: str | None = Field(
        default=None,
        title="Repository",
        description="For git: https, ssh or file. Without a password; mount a credential from a Secret instead.",
        pattern=r"^(https://|ssh://|file://|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:)[^\s]+$",
        json_schema_extra=_SECTION,
    )
    git_branch: str = Field(
        default="main",
        title="Branch",
        description="For git.",
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$",
        json_schema_extra=_SECTION,
    )
    git_subfolder: str = Field(
        default="",
        title="Subfolder",
        description="For git: where dbt_project.yml lies within the repository; empty when at the top.",
        pattern=r"^([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*)?$",
        json_schema_extra=_SECTION,
    )
    git_image: str | None = Field(
        default=None,
        title="Git image",
        description="Image with git for the init container. Empty: the same as dbt's.",
        pattern=IMAGE_PATTERN,
        json_schema_extra=_SECTION,
    )

    @model_validator(mode="after")
    def _source_is_whole(self) -> "SourceParameters":
        if self.project_source == "git" and not self.git_url:
            raise ValueError("project_source git needs a git_url")
        return self

    @model_validator(mode="after")
    def _url_holds_no_secret(self) -> "SourceParameters":
        if self.git_url and self.git_url.startswith("https://") and "@" in self.git_url.split("/")[2]:
            raise ValueError("git_url holds a user name or password, which would be stored and shown")
        return self
