"""What a zygote is asked to run: dbt's words, where, and with which environment."""

import os
import time
from dataclasses import dataclass

from dotenv import find_dotenv, load_dotenv


@dataclass(frozen=True)
class Order:
    """One dbt command of one project."""

    words: list[str]
    cwd: str
    environment: dict[str, str]

    def enter(self) -> None:
        """Be where the command would be: its folder, its environment and nothing of the zygote's, its `.env` file."""
        os.chdir(self.cwd)
        os.environ.clear()
        os.environ.update(self.environment)
        time.tzset()
        load_dotenv(find_dotenv(usecwd=True), override=False)  # as dbt itself does at its start
