"""Airflow reads this file: it makes one DAG for every project that the Pilothouse console has published.

The list is an Airflow Variable, written whole by the console through REST. A project that cannot become a DAG is left
out and named, with the reason, in the documentation of the anchor DAG; the others are not touched by it.
"""

import logging

from airflow.sdk import Variable, get_parsing_context

from contracts.names import PROJECTS_VARIABLE
from dags.factory import anchor_dag, project_dags

found, problems = project_dags(Variable.get(PROJECTS_VARIABLE, default="[]"), only=get_parsing_context().dag_id)
for problem in problems:
    logging.getLogger(__name__).warning("Not published to Airflow: %s", problem)
for dag in [anchor_dag(problems), *found]:
    globals()[dag.dag_id] = dag
