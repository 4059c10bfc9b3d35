"""Builds Kubernetes from Debian's source package, once: the four programs are kept with their checksums.

Debian builds only kubectl from that package, but it holds the whole source with all its dependencies. The result is the
same to the byte wherever it is built. About five minutes on two cores, 1.7 GB on disk while it lasts.
"""

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from deploy.images import debian
from stack.environments import Say
from stack.problems import Problem

NAMES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet")
VERSION = "1.20.2"
PACKAGES = ("golang-1.19-go", "jq", "make", "patch", "rsync", "dpkg-dev", "xz-utils")
TAGS = "providerless,dockerless"
"""Without them the kubelet asks a cloud's metadata address, and the programs are 70 % larger."""
CHECKSUMS = "checksums.json"


def binaries(cache: Path, say: Say) -> Path:
    """The folder with the four programs, which are built if they are not there, not whole or not what was built.

    Raises:
        Problem: they cannot be built on this machine.
    """
    folder = cache / f"kubernetes-{VERSION}-{TAGS}"
    folder.mkdir(parents=True, exist_ok=True)
    if reason := what_is_wrong(folder):
        say(f"building Kubernetes {VERSION} ({reason}): this takes some minutes, and only once")
        _build(folder, say)
    return folder


def what_is_wrong(folder: Path) -> str | None:
    """Why the programs in the folder cannot be used, or None when they are what was built."""
    try:
        recorded: dict[str, str] = json.loads((folder / CHECKSUMS).read_text())
    except FileNotFoundError:
        return "not built yet"
    except ValueError:
        return f"{CHECKSUMS} is damaged"
    wrong = [name for name in NAMES if not (folder / name).is_file() or recorded.get(name) != _checksum(folder / name)]
    return f"damaged: {', '.join(wrong)}" if wrong else None


def record_checksums(folder: Path) -> None:
    """Declare the programs in the folder good."""
    part = folder / f"{CHECKSUMS}.part"
    part.write_text(json.dumps({name: _checksum(folder / name) for name in NAMES}, indent=2))
    part.replace(folder / CHECKSUMS)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _build(folder: Path, say: Say) -> None:
    """Build beside the old ones; the checksums come last, so that an interrupted build counts for nothing."""
    debian.require()
    debian.install(PACKAGES)
    (folder / CHECKSUMS).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="build-") as place:
        work = Path(place)
        say("fetching Debian's source package")
        source = _fetch(work)
        say("generating code")
        environment = _environment(work)
        _generate(work, source, environment)
        say("compiling")
        _compile(source, folder, environment)
    record_checksums(folder)


def _fetch(work: Path) -> Path:
    """Download and unpack the source with Debian's patches, with a sources list that leaves the system's alone."""
    (work / "lists" / "partial").mkdir(parents=True)
    (work / "cache" / "archives" / "partial").mkdir(parents=True)
    (work / "sources.list").write_text("\n".join(debian.repositories("deb-src")) + "\n")
    settings = {
        "Dir::Etc::sourcelist": work / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": work / "lists",
        "Dir::Cache": work / "cache",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-q", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]
    _run([*apt, "update"], work)
    _run([*apt, "source", "kubernetes"], work)
    source = next(work.glob("kubernetes-*/"))
    if VERSION not in source.name:
        raise Problem(f"Debian's source package is {source.name} and not {VERSION}: {__file__} needs a look.")
    return source


def _environment(work: Path) -> dict[str, str]:
    """Go, with nothing taken from or left in the home folder, and without network."""
    home = work / "home"
    home.mkdir()
    return {
        "PATH": f"/usr/lib/go-1.19/bin:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(home),
        "GOCACHE": str(work / "go-cache"),
        "GOPROXY": "off",
        "CGO_ENABLED": "0",
    }


def _generate(work: Path, source: Path, environment: Mapping[str, str]) -> None:
    """Generated code is not part of the source package."""
    major, minor, _ = VERSION.split(".")
    facts = {"COMMIT": "debian", "TREE_STATE": "clean", "VERSION": f"v{VERSION}", "MAJOR": major, "MINOR": minor}
    version = work / "version"
    version.write_text("".join(f"KUBE_GIT_{name}={value}\n" for name, value in facts.items()))
    settings = {"GOFLAGS": "-mod=vendor", "KUBE_GIT_VERSION_FILE": str(version)}
    _run(["make", "-s", "generated_files"], source, {**environment, **settings})


def _compile(source: Path, folder: Path, environment: Mapping[str, str]) -> None:
    major, minor, _ = VERSION.split(".")
    facts = {"gitVersion": f"v{VERSION}", "gitMajor": major, "gitMinor": minor}
    packages = [
        f"k8s.io/kubernetes/vendor/k8s.io/{name}" for name in ("component-base/version", "client-go/pkg/version")
    ]
    stamps = " ".join(f"-X {package}.{fact}={value}" for package in packages for fact, value in facts.items())
    gopath = source / "_output" / "local" / "go"
    place = gopath / "src" / "k8s.io" / "kubernetes"
    commands = [f"./cmd/{name}" for name in NAMES]
    _run(
        ["go", "build", "-trimpath", "-tags", TAGS, "-ldflags", f"-s -w {stamps}", "-o", f"{folder}/", *commands],
        place,
        # The place is a link to the source; by PWD Go knows that it was reached inside of GOPATH.
        {**environment, "GO111MODULE": "off", "GOPATH": str(gopath), "PWD": str(place)},
    )


def _run(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run one step; its output is shown only if it fails."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=_go_first,
    )
    if ended.returncode:
        raise Problem(f"`{' '.join(command[:3])} …` failed while Kubernetes was built:\n{ended.stdout[-3000:]}")


def _go_first() -> None:
    """The longest of all stages waits for this. Where tests run beside it, each server of theirs has a session.

    The kernel shares the cores among sessions; a nice value counts within one only (sched(7), autogroups).
    """
    with suppress(OSError):  # no such feature, or root may not
        Path("/proc/self/autogroup").write_text("-10")
