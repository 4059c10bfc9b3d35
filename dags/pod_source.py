"""The init container that clones a project into its pod, and the credential that only this container sees."""

from typing import Any

from contracts.names import SOURCE_CONTAINER
from contracts.pods import CREDENTIAL_MOUNT, CREDENTIAL_VOLUME, PROJECT_VOLUME, SOURCE_MOUNT, PodParameters

_CLONE = f"""
if [ -f {CREDENTIAL_MOUNT}/ssh-privatekey ]; then
  key=$(mktemp) && cat {CREDENTIAL_MOUNT}/ssh-privatekey > "$key"
  known={CREDENTIAL_MOUNT}/known_hosts && trust=yes
  [ -f "$known" ] || {{ known=$(mktemp) && trust=accept-new; }}
  hosts="-o UserKnownHostsFile=$known -o StrictHostKeyChecking=$trust"
  export GIT_SSH_COMMAND="ssh -i $key -o IdentitiesOnly=yes $hosts"
elif [ -f {CREDENTIAL_MOUNT}/password ]; then
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=credential.helper
  export GIT_CONFIG_VALUE_0='!f() {{ for each in username password; do
    echo "$each=$(cat {CREDENTIAL_MOUNT}/$each)"; done; }}; f'
fi
git clone --depth 1 --single-branch --branch "$BRANCH" -- "$URL" "$TARGET" && git -C "$TARGET" rev-parse HEAD
""".strip()
"""A key is copied, because ssh refuses one that others may read, and to a place that dbt's container does not share."""


def source_container(parameters: PodParameters, shared: dict[str, Any]) -> dict[str, Any]:
    """The container; `shared` is what it has in common with dbt's: resources, mounts, environment, security.

    Its environment is dbt's too, so that git finds what is set there, a proxy or a certificate.
    """
    values = {"BRANCH": parameters.git_branch, "URL": parameters.git_url or "", "TARGET": f"{SOURCE_MOUNT}/clone"}
    own = {"HOME": SOURCE_MOUNT, "GIT_TERMINAL_PROMPT": "0", **values}
    mounts = [*shared.get("volumeMounts", []), *_credential_mounts(parameters)]
    return {
        **shared,
        "name": SOURCE_CONTAINER,
        "image": parameters.git_image or parameters.image,
        "imagePullPolicy": parameters.image_pull_policy,
        "command": ["sh", "-c", _CLONE],
        "env": [*shared.get("env", []), *({"name": name, "value": value} for name, value in own.items())],
        "volumeMounts": mounts,
    }


def source_volumes(parameters: PodParameters) -> list[dict[str, Any]]:
    """Where the clone lies, and where its credential comes from."""
    secret = parameters.git_secret
    credential = [{"name": CREDENTIAL_VOLUME, "secret": {"secretName": secret}}] if secret else []
    return [{"name": PROJECT_VOLUME, "emptyDir": {}}, *credential]


def _credential_mounts(parameters: PodParameters) -> list[dict[str, Any]]:
    mount = {"name": CREDENTIAL_VOLUME, "mountPath": CREDENTIAL_MOUNT, "readOnly": True}
    return [mount] if parameters.git_secret else []
