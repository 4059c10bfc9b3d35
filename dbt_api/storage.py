"""The storage that several hosts share (`FILES_URL`): S3, GCS, or whatever else fsspec reaches."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from dbt_api.errors import ApiError
from dbt_api.settings import settings

S3: dict[str, Any] = {
    "config_kwargs": {"connect_timeout": 10, "read_timeout": 30, "retries": {"max_attempts": 3}},
}
OPTIONS: dict[str, dict[str, Any]] = {"s3": S3, "s3a": S3, "file": {"auto_mkdir": True}}
"""What each kind of storage is told besides; `file` is a file system that all hosts have mounted."""


class StorageAway(ApiError):
    """The shared storage failed for a reason of its own."""

    def __init__(self, error: Exception) -> None:
        told = f"The files' storage cannot be reached: {type(error).__name__}."
        super().__init__(503, told, hint="Try again later.")


@contextmanager
def reached() -> Iterator[None]:
    """Tells a storage that fails (StorageAway, whatever its own errors are) from a file that is not there."""
    try:
        yield
    except (FileNotFoundError, ApiError):
        raise
    except Exception as error:  # each storage has its own
        raise StorageAway(error) from error


@cache
def storage() -> tuple[Any, str]:
    """The file system of fsspec, and the path on it that everything of ours lies below. Only where one is set."""
    from fsspec.core import url_to_fs  # type: ignore[import-untyped]

    url = settings().files_url
    assert url is not None
    files, root = url_to_fs(url, use_listings_cache=False, **OPTIONS.get(url.partition("://")[0], {}))
    return files, root


def check() -> None:
    """Write a small file and delete it; raises what the storage raises."""
    files, root = storage()
    path = f"{root}/check-{time.time_ns()}"
    files.pipe_file(path, b"ok")
    files.rm_file(path)
