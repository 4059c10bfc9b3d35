"""The storage that several hosts share (`FILES_URL`): S3, GCS, or whatever else fsspec reaches."""

import time
from functools import cache
from typing import Any

from dbt_api.settings import settings

S3_TIMES = {"connect_timeout": 10, "read_timeout": 30, "retries": {"max_attempts": 3}}


@cache
def storage() -> tuple[Any, str]:
    """The file system of fsspec, and the path on it that everything of ours lies below. Only where one is set."""
    from fsspec.core import url_to_fs  # type: ignore[import-untyped]

    url = settings().files_url
    assert url is not None
    options: dict[str, Any] = {"config_kwargs": S3_TIMES} if url.startswith("s3") else {}
    files, root = url_to_fs(url, use_listings_cache=False, **options)
    return files, root


def check() -> None:
    """Write a small file and delete it; raises what the storage raises."""
    files, root = storage()
    path = f"{root}/check-{time.time_ns()}"
    files.pipe_file(path, b"ok")
    files.rm_file(path)
