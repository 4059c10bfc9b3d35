"""Everything that is kept of a run as one zip file."""

import json
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from models.run import Invocation, Run
from services import logs


def zipped(run: Run, invocations: Sequence[Invocation]) -> bytes:
    """Artifacts, logs and conf; a folder for each try where there are several."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("conf.json", json.dumps(run.conf, indent=2))
            for invocation in invocations:
                folder = f"try-{invocation.try_number}/" if len(invocations) > 1 else ""
                for path in _files(invocation):
                    archive.write(path, f"{folder}{path.name}")
        file.seek(0)
        return file.read()


def _files(invocation: Invocation) -> Iterable[Path]:
    named = [logs.artifacts_of(invocation) / artifact["name"] for artifact in invocation.artifacts]
    return [path for path in [*named, logs.path_of(invocation), logs.path_of(invocation, "airflow")] if path.is_file()]
