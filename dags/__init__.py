"""Airflow's side: the DAG factory over published projects, and the operator that runs dbt on the dbt API."""
