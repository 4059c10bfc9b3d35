"""dbt's documentation site of one run: dbt's page, which the dbt API has, with the manifest and catalog of the run.

The texts in it are the project's: the data cannot leave its script element, as in the dbt API's own site.
"""

import json
import re

from models.run import Invocation
from services import logs
from services.connections import dbt_api

_MARK = re.compile(rb'"(MANIFEST|CATALOG)\.JSON INLINE DATA"')
"""Where dbt's page (1.5 and later) takes its data."""
_NO_CATALOG = "This run did not generate a catalog, so columns and sizes in the warehouse are not known."


def has_site(invocation: Invocation) -> bool:
    """Whether the run left a manifest."""
    return (logs.artifacts_of(invocation) / "manifest.json").is_file()


def has_catalog(invocation: Invocation) -> bool:
    """Whether the run left a catalog."""
    return (logs.artifacts_of(invocation) / "catalog.json").is_file()


def site_of(project: str, invocation: Invocation) -> str:
    """The whole site as one HTML page. Raises BackendError, NotFound without a manifest or without dbt's page."""
    folder = logs.artifacts_of(invocation)
    manifest = (folder / "manifest.json").read_bytes()
    catalog = (folder / "catalog.json").read_bytes() if has_catalog(invocation) else _empty_catalog()
    data = {b"MANIFEST": manifest, b"CATALOG": catalog}
    page = dbt_api().docs_page(project).encode()
    return _MARK.sub(lambda mark: _inline(data[mark[1]]), page).decode()


def _inline(data: bytes) -> bytes:
    """JSON within a script element: `<` occurs in its strings only, and must not end the element."""
    return data.replace(b"<", b"\\u003c")


def _empty_catalog() -> bytes:
    metadata = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json"}
    return json.dumps({"metadata": metadata, "nodes": {}, "sources": {}, "errors": [_NO_CATALOG]}).encode()
