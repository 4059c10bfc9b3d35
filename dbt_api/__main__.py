"""`python -m dbt_api`: see `--help`."""

import sys

from dbt_api.cli import main

if __name__ == "__main__":
    sys.exit(main())
