"""Takes a project through its steps, one after the other, and goes on where it stopped."""

import logging
import threading
from collections.abc import Generator, Iterator

from models.project import Project, ProjectStep, Step, StepState
from services.database import session
from services.errors import PilothouseError
from services.projects import store
from services.projects.locks import changing
from services.projects.steps import RUN, DoesNotParse, waiting_for

log = logging.getLogger(__name__)


def advance(name: str, *, from_step: Step | None = None) -> Generator[ProjectStep, None, None]:
    """Run the steps that are not done, or all from the given one on; yields each change; stops at a failure.

    Raises NotFound, and NotAllowed while the project is being worked on elsewhere.
    """
    store.get_project(name)
    with changing(name):
        project = store.get_project(name)
        if from_step is not None:
            with session() as opened:
                store.reset_from(opened, project, from_step)
        for step in _left_to_do(project):
            yield store.begin(project, step, waiting_for(project, step))
            ended = _run(store.get_project(name), step)
            yield ended
            if ended.state is not StepState.DONE:
                return


def start(name: str, *, from_step: Step | None = None) -> None:
    """Advance in the background: a page that is reloaded or left neither stops nor repeats the steps."""
    steps = advance(name, from_step=from_step)
    first = next(steps, None)
    if first is not None:
        threading.Thread(target=_drain, args=(steps,), name=f"steps of {name}", daemon=True).start()


def _drain(steps: Iterator[ProjectStep]) -> None:
    try:
        for _ in steps:
            pass
    except PilothouseError as error:  # the project was taken away meanwhile
        log.warning("%s", error)


def _left_to_do(project: Project) -> list[Step]:
    states = {row.step: row.state for row in store.steps_of(project)}
    undone = [step for step in store.STEPS if states[step] is not StepState.DONE]
    return store.STEPS[store.STEPS.index(undone[0]) :] if undone else []


def _run(project: Project, step: Step) -> ProjectStep:
    try:
        message, detail = RUN[step](project)
    except DoesNotParse as error:
        return store.fail(project, step, error, error.detail)
    except PilothouseError as error:
        log.warning("project %s, step %s: %s", project.name, step, error)
        return store.fail(project, step, error)
    except Exception:
        log.exception("project %s, step %s", project.name, step)
        unexpected = PilothouseError("Something unexpected went wrong; the console's log has the details.")
        return store.fail(project, step, unexpected)
    return store.finish(project, step, message, detail)
