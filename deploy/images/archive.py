"""Packs folders into container images without a container tool: a docker-archive, which ctr, podman and docker load.

Format: one `manifest.json` that lists images, each a JSON config and its layers, which are tar files and may be shared.
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
RUNTIME_PLACES = ("dev", "proc", "sys", "run", "etc/hostname", "etc/resolv.conf")
"""What a container runtime fills itself."""

LOCAL_FILES = ("__pycache__", "target", "logs", "*.duckdb", "*.duckdb.wal", ".user.yml")
"""What running a project leaves in its folder, and what belongs in no image."""


@dataclass(frozen=True)
class Image:
    """An image: its name with tag, its layers from the bottom up, and the `config` of the image specification."""

    name: str
    layers: tuple[Path, ...]
    config: dict[str, Any] = field(default_factory=dict)


def write_system_layer(root: Path, layer: Path) -> None:
    """Write a root file system as a layer, as it is but for the places that a container runtime fills itself."""

    def keep(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        place = next((place for place in RUNTIME_PLACES if f"{info.name}/".startswith(f"{place}/")), None)
        return info if place is None or (info.name == place and info.isdir()) else None

    _write_tar(layer, {entry.name: entry for entry in sorted(root.iterdir())}, keep)


def write_files_layer(files: Mapping[str, Path], layer: Path) -> None:
    """Write files and folders as a layer, by their path in the image: owned by root, readable by everyone."""

    def publish(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if any(fnmatch(info.name.rpartition("/")[2], pattern) for pattern in LOCAL_FILES):
            return None
        executable = 0o111 if info.isdir() or info.mode & 0o100 else 0
        return info.replace(uid=0, gid=0, uname="root", gname="root", mtime=0, mode=0o644 | executable, deep=False)

    _write_tar(layer, files, publish)


def _write_tar(
    layer: Path, files: Mapping[str, Path], change: Callable[[tarfile.TarInfo], tarfile.TarInfo | None]
) -> None:
    """The layer appears whole or not at all."""
    part = layer.with_suffix(".part")
    with tarfile.open(part, "w") as tar:
        for name, path in files.items():
            tar.add(path, arcname=name, filter=change)
    part.replace(layer)


def write_archive(images: Iterable[Image], file: IO[bytes]) -> None:
    """Write the images into one archive. The file may be a pipe."""
    manifest = []
    written: set[str] = set()
    with tarfile.open(fileobj=file, mode="w|") as tar:
        for image in images:
            digests = [_digest(layer) for layer in image.layers]
            for layer, digest in zip(image.layers, digests, strict=True):
                if digest not in written:
                    tar.add(layer, arcname=f"{digest}/layer.tar")
                    written.add(digest)
            config = _config(image, digests)
            name = f"{hashlib.sha256(config).hexdigest()}.json"
            _add(tar, name, config)
            layers = [f"{digest}/layer.tar" for digest in digests]
            manifest.append({"Config": name, "RepoTags": [image.name], "Layers": layers})
        _add(tar, "manifest.json", json.dumps(manifest).encode())


def _config(image: Image, digests: list[str]) -> bytes:
    config = {
        "architecture": ARCHITECTURES[platform.machine()],
        "os": "linux",
        "config": image.config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        "history": [{"created_by": "deploy/images/archive.py"} for _ in digests],
    }
    return json.dumps(config, sort_keys=True).encode()


def _digest(layer: Path) -> str:
    with layer.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
