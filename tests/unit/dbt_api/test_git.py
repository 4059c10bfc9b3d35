"""Git urls that are refused before git sees them; the rest is in test_projects.py with a real git."""

import pytest

from dbt_api.errors import ApiError
from dbt_api.projects.git import check_url


@pytest.mark.parametrize("url", ["https://host/a/b.git", "ssh://git@host/a.git", "git@host:a/b.git"])
def test_ordinary_urls_pass(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "--upload-pack=touch /tmp/x",
        "ext::sh -c touch% /tmp/x",
        "ext::sh",
        "http://host/a.git",
        "ftp://host/a.git",
        "https://user:secret@host/a.git",
        "https://token@host/a.git",
        "ssh://git:secret@host/a.git",
        "file:///etc",
        "/etc",
        "host/a b",
        "a\nb",
    ],
)
def test_others_are_refused_without_repeating_a_secret(url: str) -> None:
    with pytest.raises(ApiError) as refused:
        check_url(url)
    assert refused.value.status == 422
    assert "secret" not in refused.value.detail
