"""contracts.RunConf as Airflow Params, so that Airflow's own trigger form is pleasant and refuses what is wrong.

A Param with `const` is hidden in the form. The operator validates the whole RunConf once more.
"""

from airflow.sdk import Param

from contracts.published_project import PublishedProject
from contracts.run_conf import SELECTOR_PATTERN, DbtCommand

_IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_.]*$"
_SELECTORS = {"type": "string", "pattern": SELECTOR_PATTERN, "maxLength": 500}
_RARE = "Rarely needed"


def run_params(project: PublishedProject) -> dict[str, Param]:
    """One Param for each field of RunConf, with the project's own choices as defaults."""
    return {
        "command": Param(
            project.command.value,
            type="string",
            enum=[command.value for command in DbtCommand],
            title="dbt command",
            description="What dbt does.",
        ),
        "select": Param(
            [],
            type="array",
            items=_SELECTORS,
            title="Select",
            description="dbt selectors, one a line, e.g. `stg_orders+` or `tag:nightly`. Empty: the whole project.",
        ),
        "exclude": Param(
            [],
            type="array",
            items=_SELECTORS,
            title="Exclude",
            description="dbt selectors of what is left out, one a line.",
        ),
        "full_refresh": Param(
            False,
            type="boolean",
            title="Full refresh",
            description="Build incremental models and seeds anew instead of adding to them.",
        ),
        "target": Param(
            project.target,
            type=["null", "string"],
            pattern=_IDENTIFIER,
            title="Target",
            description="A target of the project's profile. Empty: the profile's own default.",
        ),
        "threads": Param(
            project.threads,
            type=["null", "integer"],
            minimum=1,
            maximum=64,
            title="Threads",
            description="How many nodes dbt runs at the same time. Empty: as the profile says.",
        ),
        "vars": Param(
            {},
            type="object",
            title="Vars",
            description='dbt vars as a JSON object, e.g. {"start": "2026-01-01"}. Never secrets: dbt logs them.',
        ),
        **_rare_params(project),
    }


def _rare_params(project: PublishedProject) -> dict[str, Param]:
    return {
        "macro": Param(
            None,
            type=["null", "string"],
            pattern=_IDENTIFIER,
            title="Macro",
            description="The macro that run-operation calls; for that command only.",
            section=_RARE,
        ),
        "macro_arguments": Param(
            {},
            type="object",
            title="Macro arguments",
            description="The macro's arguments as a JSON object.",
            section=_RARE,
        ),
        "operator_parameters": Param(
            {},
            type="object",
            title="Operator parameters",
            description='What this run changes of the project\'s operator, e.g. {"timeout_seconds": 600}.',
            section=_RARE,
        ),
        "requested_by": Param(
            None,
            type=["null", "string"],
            maxLength=200,
            title="Requested by",
            description="Who wanted this run; the console fills it in.",
            section=_RARE,
        ),
        "operator": Param(project.operator.value, type="string", const=project.operator.value, title="Operator"),
        "version": Param(1, type="integer", const=1, title="Version of these parameters"),
    }
