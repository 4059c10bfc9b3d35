"""Makes the dbt image without a registry: Debian's packages, a virtual environment from the lock, our entrypoint.

The image's settings are those of the Dockerfile beside this file, so that the two cannot differ. The expensive part,
Debian with dbt, is one layer that is kept and made again only when the lock or this recipe changes.
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from deploy.images import archive, debian
from stack import environments
from stack.debian import CODENAME
from stack.environments import Say
from stack.places import Places
from stack.problems import Problem

HERE = Path(__file__).parent
TOOLS = ("mmdebstrap",)
PACKAGES = ("ca-certificates", "git", "libstdc++6", "python3")
UNWANTED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
PYTHON = "/usr/bin/python3.11"


def image(name: str, cache: Path, work: Path, say: Say, project: Path | None = None) -> archive.Image:
    """The dbt image, perhaps with a project at /project.

    The large layer is taken from the folder `cache`, and made there if need be; the small ones are made in `work`.

    Raises:
        Problem: it cannot be made on this machine, or packages could not be installed.
    """
    layers = [_system(cache, say), work / "dbt-entrypoint.tar"]
    with tempfile.TemporaryDirectory() as empty:
        entrypoint = {"opt/pilothouse/entrypoint.py": HERE / "entrypoint.py", "project": Path(empty)}
        archive.write_files_layer(entrypoint, layers[1])
    if project:
        layers.append(work / f"dbt-{project.name}.tar")
        archive.write_files_layer({"project": project}, layers[-1])
    return archive.Image(name, tuple(layers), settings((HERE / "Dockerfile").read_text()))


def settings(dockerfile: str) -> dict[str, Any]:
    """The `config` of the image specification that a Dockerfile's simplest instructions mean."""
    found: dict[str, Any] = {"Env": []}
    names = {"WORKDIR": "WorkingDir", "USER": "User", "ENTRYPOINT": "Entrypoint", "CMD": "Cmd"}
    for line in dockerfile.splitlines():
        word, _, rest = line.partition(" ")
        if word == "ENV":
            found["Env"].append(rest)
        elif word in names:
            found[names[word]] = json.loads(rest) if rest.startswith("[") else rest
    return found


def _system(cache: Path, say: Say) -> Path:
    """The layer with Debian, Python, git and dbt."""
    recipe = f"{CODENAME} {PACKAGES} {UNWANTED}".encode() + (HERE / "requirements.txt").read_bytes()
    layer = cache / f"dbt-system-{hashlib.sha256(recipe).hexdigest()[:16]}.tar"
    if not layer.exists():
        debian.require()
        debian.install(TOOLS)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            root = Path(folder) / "root"
            say("dbt image: installing Debian's packages")
            _install_debian(root)
            say("dbt image: installing dbt")
            _install_dbt(root, say)
            archive.write_system_layer(root, layer)
    return layer


def _install_debian(root: Path) -> None:
    sources = root.with_name("sources.list")
    sources.write_text("\n".join(debian.repositories("deb")) + "\n")
    unwanted = [f"--dpkgopt=path-exclude={pattern}" for pattern in UNWANTED]
    _run("mmdebstrap", "--quiet", "--mode=root", "--variant=essential", f"--include={','.join(PACKAGES)}",
         '--aptopt=APT::Install-Recommends "false"', *unwanted, CODENAME, str(root), str(sources))  # fmt: skip


def _install_dbt(root: Path, say: Say) -> None:
    """A virtual environment that is made here for Debian's Python there, and may therefore be moved."""
    uv = str(environments.installer(Places.from_settings(), say))
    venv = root / "opt" / "venv"
    _run(uv, "venv", "--quiet", "--relocatable", "--python", PYTHON, str(venv))
    _run(uv, "pip", "install", "--quiet", "--no-deps", "--compile-bytecode", "--link-mode=copy",
         "--python", str(venv / "bin" / "python"), "--requirement", str(HERE / "requirements.txt"))  # fmt: skip
    workspace = root / "workspace"
    workspace.mkdir()
    workspace.chmod(0o1777)


def _run(*command: str) -> None:
    if not shutil.which(command[0]):
        raise Problem(f"{command[0]} is missing.")
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ended.returncode:
        raise Problem(f"{command[0]} failed while the dbt image was made:\n{ended.stderr.strip()}")
