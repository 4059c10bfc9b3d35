"""A tiny dbt project for tests."""

from pathlib import Path

PROFILES = """
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: "{{ env_var('PILOTHOUSE_PROJECT_DATA') }}/dev.duckdb", threads: 2}
    prod: {type: duckdb, path: "{{ env_var('PILOTHOUSE_PROJECT_DATA') }}/prod.duckdb", threads: 2}
"""
MODELS = {
    "models/orders.sql": "select 1 as id",
    "models/slow.sql": "{{ config(materialized='table') }} select sleep_ms({{ var('slow_ms', 0) }}) as slept",
    "models/broken.sql": "{{ config(enabled=var('break', false)) }} select no_such_column from {{ ref('orders') }}",
    "models/loud.sql": "{% for n in range(var('lines', 0)) %}{{ log('x' * 2000, true) }}{% endfor %} select 1 as id",
    "tests/never.sql": "{{ config(enabled=var('fail', false)) }} select * from {{ ref('orders') }}",
    "tests/doubt.sql": "{{ config(enabled=var('doubt', false), severity='warn') }} select 1 from {{ ref('orders') }}",
}


def write_project(folder: Path, **files: str) -> Path:
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "dbt_project.yml").write_text('name: shop\nversion: "1.0"\nprofile: shop\n')
    (folder / "profiles.yml").write_text(PROFILES)
    for name, text in {**MODELS, **files}.items():
        (folder / name).write_text(text)
    return folder
