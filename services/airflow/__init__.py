"""Airflow as the console sees it: a facade over its REST API, and nothing but its REST API."""

from services.airflow.client import Airflow
from services.airflow.news import AirflowHealth, DagRunNews, PoolNews, TaskLogChunk, TaskNews

__all__ = ["Airflow", "AirflowHealth", "DagRunNews", "PoolNews", "TaskLogChunk", "TaskNews"]
