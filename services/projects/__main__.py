"""`python -m services.projects register-example`: for the command that starts the whole stack."""

import argparse
import sys

from models.project import StepState
from services.database import migrate
from services.errors import PilothouseError
from services.projects import register_example


def main() -> int:
    """Run the command; 0 when the example can be launched."""
    parser = argparse.ArgumentParser(prog="python -m services.projects", description=__doc__)
    parser.add_argument("command", choices=["register-example"])
    parser.parse_args()
    migrate()
    try:
        step = register_example()
    except PilothouseError as error:
        return _say(error.message, error.hint)
    if step is None:
        sys.stdout.write("The example project was deleted and stays away.\n")
        return 0
    if step.state is not StepState.DONE:
        return _say(f"The example stopped at the step '{step.step.replace('_', ' ')}': {step.message}", step.hint)
    sys.stdout.write("The example project is ready.\n")
    return 0


def _say(message: str, hint: str | None) -> int:
    sys.stderr.write(f"{message}\n" + (f"{hint}\n" if hint else ""))
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
