"""Images packed without a container tool. That a container runtime takes them is shown by tests/cluster."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from deploy.images.archive import Image, write_archive, write_files_layer, write_system_layer
from deploy.images.dbt.build import PACKAGES, settings
from stack.places import ROOT


def names(layer: Path) -> list[str]:
    with tarfile.open(layer) as tar:
        return sorted(tar.getnames())


def test_a_project_goes_in_without_what_running_it_has_left(tmp_path: Path) -> None:
    project = tmp_path / "harbour"
    for place in ("models/a.sql", "target/manifest.json", "logs/dbt.log", "harbour.duckdb", "models/__pycache__/x.pyc"):
        (project / place).parent.mkdir(parents=True, exist_ok=True)
        (project / place).write_text("")
    (project / "models" / "a.sql").chmod(0o600)
    write_files_layer({"project": project}, layer := tmp_path / "layer.tar")
    assert names(layer) == ["project", "project/models", "project/models/a.sql"]
    with tarfile.open(layer) as tar:
        assert {(info.uid, info.mode & 0o044) for info in tar} == {(0, 0o044)}


def test_a_root_file_system_leaves_the_runtimes_places_empty(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for place in ("dev/null", "proc/1/stat", "etc/hostname", "etc/passwd", "device/x"):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text("")
    write_system_layer(root, layer := tmp_path / "layer.tar")
    assert names(layer) == ["dev", "device", "device/x", "etc", "etc/passwd", "proc"]


def test_images_share_their_layers_in_an_archive(tmp_path: Path) -> None:
    layers = [tmp_path / "a.tar", tmp_path / "b.tar"]
    for layer in layers:
        layer.write_text(layer.name)
    archive = io.BytesIO()
    write_archive([Image("one:1", (layers[0],)), Image("two:1", tuple(layers), {"User": "1"})], archive)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        assert len(tar.getnames()) == len(set(tar.getnames())) == 5
        one, two = json.loads(tar.extractfile("manifest.json").read())  # type: ignore[union-attr]
        assert one["Layers"] == two["Layers"][:1]
        config = json.loads(tar.extractfile(two["Config"]).read())  # type: ignore[union-attr]
    digests = [f"sha256:{hashlib.sha256(layer.read_bytes()).hexdigest()}" for layer in layers]
    assert (config["rootfs"]["diff_ids"], config["config"]) == (digests, {"User": "1"})


def test_both_ways_of_making_the_dbt_image_agree() -> None:
    dockerfile = (ROOT / "deploy" / "images" / "dbt" / "Dockerfile").read_text()
    found = settings(dockerfile)
    assert found["User"] == "10001:10001"
    assert found["Entrypoint"] == ["/opt/venv/bin/python", "/opt/pilothouse/entrypoint.py"]
    assert "DBT_LOG_FORMAT=json" in found["Env"]
    assert all(package in dockerfile for package in PACKAGES)
