"""What images and the test cluster need of the Debian that they are made on: its repositories and its packages.

The machine's own apt sources are used, wherever they point: no host name is written here.
"""

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.debian import why_not
from stack.problems import Problem

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
POLICY = Path("/usr/sbin/policy-rc.d")
APT = ("apt-get", "-q", "-o", "DPkg::Lock::Timeout=600")


def require() -> None:
    """Raises Problem when nothing can be made on this machine."""
    if reason := why_not():
        raise Problem(f"That is not possible here: {reason}.")


def repositories(kind: str) -> list[str]:
    """Lines for a sources.list with the Debian repositories that apt uses here. The kind is `deb` or `deb-src`."""
    form = f"{kind} [signed-by={KEYRING}] $(REPO_URI) $(RELEASE) $(COMPONENT)"
    command = ["apt-get", "indextargets", "--format", form, "Created-By: Packages", "Origin: Debian"]
    lines = sorted(set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()))
    if not lines:
        raise Problem("apt knows no Debian repository: check /etc/apt, then run `apt-get update`.")
    return lines


def install(packages: Iterable[str]) -> None:
    """Install what is missing, without recommended packages, and let no package start a service."""
    wanted = [package for package in packages if not _is_installed(package)]
    if not wanted:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _services_stay_off():
        for words in (["update"], ["install", "-y", "--no-install-recommends", *wanted]):
            if subprocess.run([*APT, *words], env=environment, stdin=subprocess.DEVNULL).returncode:
                raise Problem(f"apt-get {words[0]} failed (above). Packages needed: {' '.join(wanted)}.")


def _is_installed(package: str) -> bool:
    command = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(command, capture_output=True, text=True).stdout == "installed"


@contextmanager
def _services_stay_off() -> Iterator[None]:
    """Debian asks policy-rc.d before it starts a service; a policy that is there already is respected."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
