"""Projects from an archive: good ones are taken whole, hostile ones leave nothing behind."""

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from dbt_api.errors import ApiError
from dbt_api.projects import archive
from dbt_api.settings import settings
from tests.unit.dbt_api.project import PROFILES
from tests.unit.dbt_api.server import Server

FILES = {
    "dbt_project.yml": 'name: shop\nversion: "1.0"\nprofile: shop\n',
    "profiles.yml": PROFILES,
    "models/orders.sql": "select 1 as id",
    "models/empty/": "",
}


def zipped(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in files.items():
            file.writestr(name, text)
    return packed.getvalue()


def member(name: str, data: bytes = b"", **facts: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in facts.items():
        setattr(info, key, value)
    return info, data


def tarred(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        for info, data in members:
            file.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def tarred_files(files: dict[str, str]) -> bytes:
    return tarred(
        *(
            member(name, text.encode()) if not name.endswith("/") else member(name, type=tarfile.DIRTYPE)
            for name, text in files.items()
        )
    )


def upload(server: Server, name: str, data: bytes, filename: str = "shop.zip") -> requests.Response:
    return server.call("PUT", f"/api/v1/projects/{name}/upload", files={"file": (filename, data)})


@pytest.mark.parametrize("pack", [zipped, tarred_files])
@pytest.mark.parametrize("top", ["", "shop-main/"])
def test_an_archive_becomes_a_project(server: Server, pack: Callable[[dict[str, str]], bytes], top: str) -> None:
    files = {top + name: text for name, text in FILES.items()} | {"__MACOSX/x": "", ".git/config": "junk"}
    name = f"{pack.__name__}_{len(top)}"
    answer = upload(server, name, pack(files), filename="it's <b>größe</b>.zip")
    assert answer.status_code == 200, answer.text
    project = answer.json()
    assert project["source"]["kind"] == "upload"
    assert project["source"]["filename"] == "it's <b>größe</b>.zip"
    assert (Path(project["path"]) / "models" / "orders.sql").read_text() == "select 1 as id"
    assert not list(server.data.rglob("__MACOSX"))
    again = server.call("PUT", f"/api/v1/projects/{name}", json={"source": project["source"]}).json()
    assert again["path"] == project["path"]
    assert server.call("DELETE", f"/api/v1/projects/{name}").status_code == 204
    gone = server.call("PUT", f"/api/v1/projects/{name}", json={"source": project["source"]})
    assert (gone.status_code, gone.json()["hint"]) == (422, "Upload it again.")


def test_another_archive_replaces_the_first_and_a_bad_one_does_not(server: Server) -> None:
    first = upload(server, "replaced", zipped(FILES)).json()
    bad = upload(server, "replaced", zipped({**FILES, "packages.yml": "packages:\n  - local: ./nowhere\n"}))
    assert (bad.status_code, "dbt deps" in bad.json()["detail"]) == (422, True)
    assert server.call("GET", "/api/v1/projects/replaced").json() == first
    second = upload(server, "replaced", zipped({**FILES, "models/orders.sql": "select 2 as id"})).json()
    assert second["path"] != first["path"]
    assert "2" in (Path(second["path"]) / "models" / "orders.sql").read_text()
    assert server.call("POST", "/api/v1/projects/replaced/parse").json()["ok"]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FILES_LIMIT": 50, "RATIO_LIMIT": 20}.items():
        monkeypatch.setenv(f"PILOTHOUSE_DBT_API_UPLOAD_{name}", str(value))
    settings.cache_clear()


def zip_with(name: str, mode: int) -> bytes:
    packed = io.BytesIO()
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr(info, "/etc/passwd")
    return packed.getvalue()


def sparse(size: int) -> bytes:
    info, _ = member("hole", pax_headers={"GNU.sparse.map": f"{size},0", "GNU.sparse.size": str(size)})
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.PAX_FORMAT) as file:
        file.addfile(info)
    return packed.getvalue()


ZEROS = b"\0" * (40 << 20)
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "absolute": (lambda: tarred(member("/tmp/out", b"x")), "leads out"),
    "parent": (lambda: tarred(member("models/../../out", b"x")), "leads out"),
    "parent in a zip": (lambda: zipped({"../out": "x"}), "leads out"),
    "absolute in a zip": (lambda: zipped({"/out": "x"}), "leads out"),
    "backslash": (lambda: zipped({"a\\..\\..\\out": "x"}), "leads out"),
    "drive": (lambda: zipped({"C:out": "x"}), "leads out"),
    "symlink": (lambda: tarred(member("a", type=tarfile.SYMTYPE, linkname="/etc")), "link or a device"),
    "hardlink": (lambda: tarred(member("a", type=tarfile.LNKTYPE, linkname="/etc/passwd")), "link or a device"),
    "device": (lambda: tarred(member("a", type=tarfile.CHRTYPE, devmajor=1, devminor=5)), "link or a device"),
    "fifo": (lambda: tarred(member("a", type=tarfile.FIFOTYPE)), "link or a device"),
    "symlink in a zip": (lambda: zip_with("a", stat.S_IFLNK | 0o777), "link or a device"),
    "sparse": (lambda: sparse(1 << 50), "link or a device"),
    "twice": (lambda: tarred(member("a", b"1"), member("./a", b"2")), "twice"),
    "file and folder": (lambda: tarred(member("a", b"1"), member("a/b", b"2")), "twice"),
    "too many": (lambda: zipped({f"f{number}": "" for number in range(60)}), "more than 50 files"),
    "too many in a tar": (lambda: tarred(*(member(f"f{number}") for number in range(60))), "more than 50 files"),
    "bomb": (lambda: zipped({"a.csv": ZEROS.decode()}), "too much for its size"),
    "bomb in a tar": (lambda: tarred(member("a.csv", ZEROS)), "too much for its size"),
    "bomb of headers": (lambda: tarred(member("a", pax_headers={"comment": "x" * (30 << 20)})), "too much"),
    "control characters": (lambda: tarred(member("a\x1b[31m", b"x")), "not a proper file name"),
    "long name": (lambda: tarred(member("a" * 300, b"x")), "not a proper file name"),
    "neither": (lambda: b"#!/bin/sh\n", "neither a zip nor a tar.gz"),
    "nothing": (lambda: b"", "neither a zip nor a tar.gz"),
    "cut short": (lambda: tarred_files(FILES)[:-40], "cannot be read"),
    "gzip of no tar": (lambda: gzip.compress(b"hello " * 500), "cannot be read"),
    "broken zip": (lambda: b"PK\3\4" + b"x" * 100, "cannot be read"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused_and_writes_nothing_outside(tmp_path: Path, limits: None, kind: str) -> None:
    make, said = HOSTILE[kind]
    into = tmp_path / "deep" / "inside" / "files"
    with pytest.raises(ApiError) as refused:
        archive.unpack(io.BytesIO(make()), into)
    assert (refused.value.status, said in refused.value.detail) == (422, True), refused.value.detail
    outside = [each for each in tmp_path.rglob("*") if each.is_file() and into not in each.parents]
    assert outside == []
    assert not Path("/tmp/out").exists()


def test_a_zip_whose_directory_would_fill_the_memory_is_refused_before_it_is_read(tmp_path: Path, limits: None) -> None:
    many = zipped({f"{number:0200}": "" for number in range(200)})
    with pytest.raises(ApiError, match="more than 50 files"):
        archive.unpack(io.BytesIO(many), tmp_path / "files")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"models/a.sql": "select 1"}, "no dbt_project.yml"),
        ({"a/b/dbt_project.yml": "name: a"}, "no dbt_project.yml"),
        ({"a/dbt_project.yml": "name: a", "b/dbt_project.yml": "name: b"}, "several dbt projects: 'a', 'b'"),
        ({"../dbt_project.yml": "name: a"}, "leads out"),
    ],
)
def test_a_refused_upload_registers_nothing(server: Server, files: dict[str, str], said: str) -> None:
    answer = upload(server, "refused", zipped(files))
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text
    assert server.call("GET", "/api/v1/projects/refused").status_code == 404
    assert [each for each in (server.data / "projects" / "refused").rglob("*") if each.is_file()] == []


def test_a_request_that_is_no_upload_is_told(server: Server) -> None:
    path = "/api/v1/projects/shopping/upload"
    assert server.call("PUT", path, json={}).status_code == 422
    assert server.call("PUT", path, files={"other": b"x"}).status_code == 422
    assert server.call("PUT", path, files=[("file", b"x"), ("file", b"y")]).status_code == 422
    assert server.call("PUT", path, data=b"x", headers={"Content-Type": "multipart/form-data"}).status_code == 422
    assert server.call("PUT", "/api/v1/projects/Bad-Name/upload", files={"file": b"x"}).status_code == 422
    without = requests.put(server.url + path, files={"file": zipped(FILES)}, timeout=60)
    assert without.status_code == 401


def test_an_upload_that_is_too_large_is_refused_by_its_size(start_server: Callable[..., Server]) -> None:
    server = start_server(UPLOAD_LIMIT_BYTES="100000")
    assert upload(server, "large", b"x" * 200_000).status_code == 413
    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
    unannounced = server.call(
        "PUT",
        "/api/v1/projects/large/upload",
        data=iter([start, *[b"x" * 60_000] * 4]),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert unannounced.status_code == 413
