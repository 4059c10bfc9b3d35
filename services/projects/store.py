"""Projects, their steps and nodes, in our own database."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, select

from contracts.dbt_api import ParsedNode
from models.project import Project, ProjectNode, ProjectStep, Step, StepState
from models.run import Run
from models.types import now
from services.database import session
from services.errors import NotFound, PilothouseError
from services.projects.locks import is_changing

STEPS = list(Step)


@dataclass(frozen=True)
class Summary:
    """A project with what a list of projects tells of it."""

    project: Project
    step: ProjectStep
    """The first step that is not done, or the last step when all are."""
    last_run: Run | None

    @property
    def is_ready(self) -> bool:
        """Whether the project can be launched."""
        return self.step.state is StepState.DONE


def list_projects(search: str = "") -> list[Project]:
    """All projects by name, or those with the text in name, description or owner."""
    wanted = [
        func.lower(column).contains(search.strip().lower(), autoescape=True)
        for column in (col(Project.name), col(Project.description), col(Project.owner))
    ]
    with session() as opened:
        matching = wanted[0] | wanted[1] | wanted[2]
        return list(opened.exec(select(Project).where(matching).order_by(col(Project.name))))


def get_project(name: str) -> Project:
    """One project. Raises NotFound."""
    with session() as opened:
        return row_of(opened, name)


def row_of(opened: Session, name: str) -> Project:
    """The project's row within a unit of work. Raises NotFound."""
    if project := opened.exec(select(Project).where(Project.name == name)).one_or_none():
        return project
    raise NotFound(f"There is no project '{name}'.", hint="It may have been deleted; its runs are still listed.")


def steps_of(project: Project) -> list[ProjectStep]:
    """The steps in their order. One whose worker is gone is shown as failed: it can be tried again."""
    with session() as opened:
        steps = _steps(opened, project)
    if any(step.state is StepState.RUNNING for step in steps) and not is_changing(project.name):
        with session() as opened:  # again: it may have ended between reading and asking
            steps = _steps(opened, project)
        return [_interrupted(step) for step in steps]
    return steps


def nodes_of(name: str) -> list[ProjectNode]:
    """The nodes that dbt found when it last parsed the project, by kind and name. Raises NotFound."""
    with session() as opened:
        order = (col(ProjectNode.resource_type), col(ProjectNode.name))
        project = row_of(opened, name)
        return list(opened.exec(select(ProjectNode).where(ProjectNode.project_id == project.id).order_by(*order)))


def summaries(search: str = "") -> list[Summary]:
    """What the list of projects shows, by name."""
    return [_summary(project) for project in list_projects(search)]


def _summary(project: Project) -> Summary:
    steps = steps_of(project)
    step = next((step for step in steps if step.state is not StepState.DONE), steps[-1])
    with session() as opened:
        last = select(Run).where(Run.project == project.name).order_by(col(Run.created_at).desc()).limit(1)
        return Summary(project, step, opened.exec(last).first())


def _steps(opened: Session, project: Project) -> list[ProjectStep]:
    rows = opened.exec(select(ProjectStep).where(ProjectStep.project_id == project.id))
    return sorted(rows, key=lambda row: STEPS.index(row.step))


def _interrupted(step: ProjectStep) -> ProjectStep:
    if step.state is not StepState.RUNNING:
        return step
    return ProjectStep(
        **step.model_dump(exclude={"state", "message", "hint"}),
        state=StepState.FAILED,
        message="Interrupted: the console stopped while it worked on this step.",
        hint="Try again from here; what was done before is kept.",
    )


# changes of steps


def first_steps(opened: Session, project: Project, *, by: str) -> None:
    """The steps of a project that was just saved."""
    opened.flush()
    assert project.id is not None
    opened.add_all(ProjectStep(project_id=project.id, step=step) for step in STEPS)
    opened.flush()
    note_saved(opened, project, by=by)


def note_saved(opened: Session, project: Project, *, by: str) -> None:
    """Tell on the first step who saved the project last."""
    saved = step_row(opened, project, Step.SAVED)
    saved.state, saved.message, saved.hint = StepState.DONE, f"Saved by {by}.", None
    saved.started_at = saved.finished_at = now()


def step_row(opened: Session, project: Project, step: Step) -> ProjectStep:
    """The row of one step within a unit of work."""
    chosen = (ProjectStep.project_id == project.id, ProjectStep.step == step)
    return opened.exec(select(ProjectStep).where(*chosen)).one()


def reset_from(opened: Session, project: Project, first: Step) -> None:
    """Set a step and all after it back to waiting. What they learnt stays until they learn anew."""
    for step in STEPS[STEPS.index(first) :]:
        row = step_row(opened, project, step)
        row.state, row.message, row.hint = StepState.PENDING, "", None


def begin(project: Project, step: Step, message: str) -> ProjectStep:
    """Mark a step as running, with what it waits for."""
    return _change(project, step, state=StepState.RUNNING, message=message, started_at=now(), finished_at=None)


def finish(project: Project, step: Step, message: str, detail: dict[str, Any]) -> ProjectStep:
    """Mark a step as done, with what it learnt."""
    return _change(project, step, state=StepState.DONE, message=message, detail=detail, finished_at=now())


def fail(project: Project, step: Step, error: PilothouseError, detail: dict[str, Any] | None = None) -> ProjectStep:
    """Mark a step as failed, with the reason and a way on. Without a new detail the old one stays."""
    more = {} if detail is None else {"detail": detail}
    return _change(
        project, step, state=StepState.FAILED, message=error.message, hint=error.hint, finished_at=now(), **more
    )


def _change(project: Project, step: Step, **values: Any) -> ProjectStep:
    with session() as opened:
        row = step_row(opened, project, step)
        row.sqlmodel_update({"hint": None, **values})
        return row


def keep_nodes(opened: Session, project: Project, nodes: list[ParsedNode]) -> None:
    """Replace the nodes of a project by those that dbt just found."""
    for old in opened.exec(select(ProjectNode).where(ProjectNode.project_id == project.id)):
        opened.delete(old)
    opened.flush()
    assert project.id is not None
    opened.add_all(ProjectNode(project_id=project.id, **node.model_dump()) for node in nodes)
