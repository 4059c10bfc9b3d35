"""What crosses a process boundary: pydantic models only, shared by console, Airflow and the dbt API server."""
