"""The rows behind a failed test, asked for through the dbt API, which has the project's login to the warehouse."""

from contracts.dbt_api import Rows, RowsRequest
from contracts.run_conf import RunConf
from models.run import NodeResult, Run
from services.connections import dbt_api

MOST_ROWS = 50


def can_be_asked(run: Run) -> bool:
    """Whether the run's warehouse is one that the dbt API reaches: that of a run in pods need not be."""
    return not run.operator.runs_in_pods


def rows_of(run: Run, test: NodeResult) -> Rows:
    """What the test's query gives now, with the run's target and variables. Raises BackendError, NotFound."""
    variables = RunConf.model_validate(run.conf).vars
    request = RowsRequest(
        project=run.project,
        unique_id=test.unique_id,
        name=test.name,
        vars=variables,
        target=run.target,
        limit=MOST_ROWS,
    )
    return dbt_api().rows(request)
