"""Whether this machine is one on which container images and the test cluster can be made."""

import os
from pathlib import Path

CODENAME = "bookworm"


def why_not() -> str | None:
    """Why nothing of that can be made here, or None when it can: it takes root on Debian 12."""
    release = Path("/etc/os-release")
    if not release.exists() or f"VERSION_CODENAME={CODENAME}" not in release.read_text().splitlines():
        return f"this machine is not Debian 12 ({CODENAME})"
    return None if os.geteuid() == 0 else "this takes root"
