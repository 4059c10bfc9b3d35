"""`python3 -m deploy.images.dbt FILE.tar`: makes the dbt image without a registry, as root on Debian 12."""

import argparse
import sys
import tempfile
from pathlib import Path

from deploy.images import archive
from deploy.images.dbt import build
from stack.problems import Problem
from stack.progress import Progress


def main() -> int:
    """Write the archive. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m deploy.images.dbt", description=__doc__)
    parser.add_argument("file", type=Path, help="where to write; load it with ctr, podman or docker")
    parser.add_argument("--name", default="pilothouse/dbt:latest", help="name and tag of the image (%(default)s)")
    parser.add_argument("--project", type=Path, help="folder of a dbt project to put into the image")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.file.absolute().parent) as folder:
        try:
            image = build.image(options.name, Path(folder), Path(folder), Progress().say, options.project)
        except Problem as problem:
            print(problem, file=sys.stderr)
            return 2
        with options.file.open("wb") as file:
            archive.write_archive([image], file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
