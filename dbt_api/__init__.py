"""The dbt API: an HTTP server that keeps dbt projects, queues dbt commands and runs them in child processes.

Imports nothing of the console (services, models) and never dbt itself: dbt runs beside it, so a crash, a signal or a
leak of dbt's stays in dbt's own process.
"""
