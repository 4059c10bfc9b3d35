"""The collector: one process that follows every run and writes what pages read.

Two loops, so that one system's silence never delays the other's news: `airflow_side` discovers DAG runs and follows
their states and task logs, `dbt_api_side` follows invocations and dbt's log. What one loop needs of the other it reads
from the database. Every step commits its cursor together with what it learned, so a kill at any moment costs nothing.
"""
