"""dbt's own documentation site of a project, as one page that holds its data, like `dbt docs generate --static`.

The page is dbt's, the texts in it are the project's: somebody may have written markup or a script into a description.
So the data cannot leave its script element, and the page may load nothing, send nothing, and reach no login.
"""

import re
from functools import cache

import orjson

from dbt_api.errors import ApiError
from dbt_api.projects import manifests
from dbt_api.settings import settings

MARK = re.compile(rb'"(MANIFEST|CATALOG)\.JSON INLINE DATA"')
"""Where dbt's page (1.5 and later) takes its data."""
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
)
SANDBOX = "sandbox allow-scripts allow-popups"
"""Without same-origin: a script in the page is a stranger to this server and its logins."""
NO_CATALOG = "`dbt docs generate` has not run for this target, so columns and sizes in the warehouse are not known."


def site(project: str, target: str | None) -> bytes:
    """The whole site as one HTML page. Raises ApiError 404 while there is no manifest."""
    kept = manifests.get_newest(project, target)
    data = {b"MANIFEST": kept.manifest.read_bytes(), b"CATALOG": catalog(project, kept.facts.target)}
    return MARK.sub(lambda mark: _inline(data[mark[1]]), page())


def page() -> bytes:
    """dbt's page without data, MARK where it takes it: for who has a manifest of their own to show."""
    policy = f'<head><meta http-equiv="Content-Security-Policy" content="{POLICY}">'.encode()
    return _index().replace(b"<head>", policy, 1)


def catalog(project: str, target: str | None) -> bytes:
    """catalog.json (v1); an empty one that says why, until `docs generate` has run, so that the site works."""
    kept = manifests.get_newest(project, target)
    found = manifests.catalog_of(project, kept.facts.target)
    if found is not None:
        return found
    metadata = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json"}
    return orjson.dumps({"metadata": metadata, "nodes": {}, "sources": {}, "errors": [NO_CATALOG]})


def _inline(data: bytes) -> bytes:
    """JSON within a script element: `<` occurs in its strings only, and must not end the element."""
    return data.replace(b"<", b"\\u003c")


@cache
def _index() -> bytes:
    found = sorted(settings().dbt.parent.parent.glob("lib/python*/site-packages/dbt/**/docs/index.html"))
    if not found:
        raise ApiError(404, "The installed dbt brings no documentation site.")
    return found[-1].read_bytes()
