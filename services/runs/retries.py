"""What a retry from failure has to run: the unfinished nodes, each named so that dbt selects exactly it.

dbt's own `retry` forgets the node that was running when dbt was interrupted and has nothing to go by after a kill, so
the set is computed from our node results.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from contracts.dbt_api import Preview, PreviewRequest
from contracts.run_conf import DbtCommand, RunConf
from contracts.selectors import selector_of
from models.run import NodeResult, Run
from models.run_state import NodeStatus
from services.dbt_api import DbtApi
from services.errors import NotAllowed

_RESUMABLE = {
    DbtCommand.BUILD,
    DbtCommand.RUN,
    DbtCommand.TEST,
    DbtCommand.SEED,
    DbtCommand.SNAPSHOT,
    DbtCommand.SOURCE_FRESHNESS,
}
"""Commands whose nodes change something or check something; the others are simply run again."""

_RUNNABLE = ("model", "test", "unit_test", "seed", "snapshot", "function")


def conf_of_retry(run: Run, nodes: Sequence[NodeResult], *, by: str, dbt_api: DbtApi) -> RunConf:
    """The conf of a run of what `run` left unfinished; of the whole again when there is nothing to resume from.

    Asks the dbt API for the selection only when nodes were never started, because no event names those.
    Raises BackendError then, NotAllowed when the selection no longer works.
    """
    conf = conf_again(run, by=by)
    if conf.command not in _RESUMABLE:
        return conf
    selectors = [selector_of(node.unique_id, path=node.path) for node in nodes if _is_unfinished(node)]
    if run.nodes_total is not None and len(_without_hooks(nodes)) < run.nodes_total:
        selectors += [selector_of(unique_id) for unique_id in _never_started(run, conf, nodes, dbt_api)]
    return _narrowed(conf, selectors, passed=_passed_unit_tests(nodes)) if selectors else conf


def conf_again(run: Run, *, by: str) -> RunConf:
    """The conf of the same run once more, asked for by somebody else."""
    return RunConf.model_validate({**run.conf, "requested_by": by})


def preview_of(dbt_api: DbtApi, project_name: str, conf: RunConf) -> Preview:
    """The nodes that a conf's selection means."""
    if not conf.command.takes_selection:
        return Preview(ok=True, message=f"dbt {conf.command} selects no nodes.")
    request = PreviewRequest(
        project=project_name,
        command=conf.command,
        select=conf.select,
        exclude=conf.exclude,
        vars=conf.vars,
        target=conf.target,
    )
    return dbt_api.preview(request)


def _is_unfinished(node: NodeResult) -> bool:
    return node.status.is_unfinished_business and node.resource_type != "operation"


def _without_hooks(nodes: Iterable[NodeResult]) -> list[NodeResult]:
    return [node for node in nodes if node.resource_type != "operation"]


def _never_started(run: Run, conf: RunConf, nodes: Iterable[NodeResult], dbt_api: DbtApi) -> list[str]:
    selected = preview_of(dbt_api, run.project, conf)
    if not selected.ok:
        raise NotAllowed(
            f"dbt cannot tell any more what run {run.id} had selected: {selected.message}",
            hint="Run the whole again, or launch with a selection of your own.",
        )
    kinds = ("source",) if conf.command is DbtCommand.SOURCE_FRESHNESS else _RUNNABLE
    seen = {node.unique_id for node in nodes}
    return [one for one in selected.unique_ids if one not in seen and one.partition(".")[0] in kinds]


def _passed_unit_tests(nodes: Iterable[NodeResult]) -> list[str]:
    """They ran before their model, which would take them along again."""
    done = (NodeStatus.PASS, NodeStatus.WARN)
    return [selector_of(n.unique_id) for n in nodes if n.resource_type == "unit_test" and n.status in done]


def _narrowed(conf: RunConf, selectors: list[str], *, passed: list[str]) -> RunConf:
    """The same conf with another selection. What was excluded stays so: a selected model brings its tests along."""
    values: dict[str, Any] = conf.model_dump() | {"select": selectors, "exclude": [*conf.exclude, *passed]}
    try:
        return RunConf.model_validate(values)
    except ValidationError as error:
        raise NotAllowed(
            f"The {len(selectors)} unfinished nodes cannot be written as one selection.",
            hint="Run the whole again, or launch with a selection of your own.",
        ) from error
