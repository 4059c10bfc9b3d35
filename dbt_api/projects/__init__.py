"""dbt projects: how their files are made ready, and what dbt says is in them."""
