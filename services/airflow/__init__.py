"""Airflow as the console sees it: a facade over its REST API, and nothing but its REST API."""

from services.airflow.client import Airflow
from services.airflow.news import (
    OCCUPYING,
    ActiveTask,
    AirflowHealth,
    Capacity,
    DagLimits,
    DagRunNews,
    PoolNews,
    TaskLogChunk,
    TaskNews,
)

__all__ = [
    "OCCUPYING",
    "ActiveTask",
    "Airflow",
    "AirflowHealth",
    "Capacity",
    "DagLimits",
    "DagRunNews",
    "PoolNews",
    "TaskLogChunk",
    "TaskNews",
]
