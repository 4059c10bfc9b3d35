"""The collector: one process that follows every run and writes what pages read.

Three loops, so that one system's silence never delays the others' news: `airflow_side` discovers DAG runs and follows
their states and task logs, `dbt_api_side` follows invocations and dbt's log, `kubernetes_side` follows pods and theirs.
What one loop needs of another it reads from the database. Every step commits its cursor together with what it learned,
so a kill at any moment costs nothing.
"""
