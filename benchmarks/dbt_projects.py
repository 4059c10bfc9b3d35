"""Writes dbt projects on DuckDB to measure with: a small one of 32 nodes and a large one of as many models as asked."""

import random
from pathlib import Path

PROJECT = """name: measured
version: '1.0'
profile: measured
models:
  measured: {+materialized: table, staging: {+materialized: view}}
flags: {send_anonymous_usage_stats: false}
"""
PROFILES = """measured:
  target: dev
  outputs:
    dev: {type: duckdb, path: "{{ env_var('PILOTHOUSE_PROJECT_DATA') }}/measured.duckdb", threads: 4}
"""
ENDLESS = """{{ config(tags='endless') }}
select count(*) as n, sum(hash(a.range) % 7) as h from range(400000) a, range(200000) b
"""
LAYERS = 20

STAGING = {
    "customers": ("select id as customer_id, first_name, last_name from {{ ref('raw_customers') }}", "customer_id"),
    "orders": ("select id as order_id, user_id as customer_id, day, status from {{ ref('raw_orders') }}", "order_id"),
    "payments": (
        "select id as payment_id, order_id, amount / 100.0 as amount from {{ ref('raw_payments') }}",
        "payment_id",
    ),
    "status": ("select distinct status from {{ ref('raw_orders') }}", "status"),
    "days": ("select distinct day from {{ ref('raw_orders') }}", "day"),
}
MARTS = {
    "orders": (
        "select o.*, coalesce(sum(p.amount), 0) as amount from {{ ref('stg_orders') }} o"
        " left join {{ ref('stg_payments') }} p using (order_id) group by all",
        "order_id",
    ),
    "customers": (
        "select c.customer_id, count(o.order_id) as orders, coalesce(sum(o.amount), 0) as amount"
        " from {{ ref('stg_customers') }} c left join {{ ref('orders') }} o using (customer_id) group by all",
        "customer_id",
    ),
    "revenue": ("select day, sum(amount) as amount, count(*) as orders from {{ ref('orders') }} group by day", "day"),
}
SNAPSHOT = """snapshots:
  - name: orders_snapshot
    relation: ref('stg_orders')
    config: {unique_key: order_id, strategy: check, check_cols: [status], schema: snapshots}
"""


def write_small(folder: Path) -> Path:
    """3 seeds, 5 views, 3 tables, 20 tests, 1 snapshot; and a model that runs for hours, tagged `endless`."""
    chance = random.Random(7)
    rows = {
        "customers": ["id,first_name,last_name", *(f"{n},F{n},L{n}" for n in range(1, 101))],
        "orders": ["id,user_id,day,status", *(_order(n, chance) for n in range(1, 501))],
        "payments": ["id,order_id,amount", *(f"{n},{chance.randint(1, 500)},{n * 13}" for n in range(1, 701))],
    }
    files = {f"seeds/raw_{name}.csv": "\n".join(lines) + "\n" for name, lines in rows.items()}
    files |= {f"models/staging/stg_{name}.sql": sql for name, (sql, _) in STAGING.items()}
    files |= {f"models/marts/{name}.sql": sql for name, (sql, _) in MARTS.items()}
    keys = {f"stg_{name}": key for name, (_, key) in STAGING.items()} | {name: key for name, (_, key) in MARTS.items()}
    more = {"stg_customers": "first_name", "stg_payments": "amount", "orders": "customer_id", "revenue": "amount"}
    files["models/schema.yml"] = "models:\n" + "".join(_tested(name, key, more.get(name)) for name, key in keys.items())
    files["models/endless.sql"] = ENDLESS
    files["snapshots/orders.yml"] = SNAPSHOT
    return _write(folder, files)


def write_large(folder: Path, models: int) -> Path:
    """Table models in 20 layers, two parents and one test each; one in four in Jinja that only dbt can render."""
    chance, width = random.Random(models), max(1, models // LAYERS)
    files = {}
    for layer in range(LAYERS):
        tests = ["models:\n"]
        for number in range(width):
            name = f"m_{layer:02d}_{number:04d}"
            parents = [f"m_{layer - 1:02d}_{each:04d}" for each in chance.sample(range(width), min(2, width))]
            files[f"models/l{layer:02d}/{name}.sql"] = _model(layer, number, parents)
            tests.append(
                f"  - name: {name}\n    description: 'Model {name}.'\n"
                "    columns: [{name: id, data_tests: [not_null]}, {name: amount, description: the amount}]\n"
            )
        files[f"models/l{layer:02d}/schema.yml"] = "".join(tests)
    return _write(folder, files)


def _order(number: int, chance: random.Random) -> str:
    day = f"2024-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
    return f"{number},{chance.randint(1, 100)},{day},{chance.choice(['placed', 'shipped', 'returned'])}"


def _tested(name: str, key: str, other: str | None) -> str:
    lines = f"  - name: {name}\n    columns:\n      - {{name: {key}, data_tests: [unique, not_null]}}\n"
    return lines + (f"      - {{name: {other}, data_tests: [not_null]}}\n" if other else "")


def _model(layer: int, number: int, parents: list[str]) -> str:
    if layer == 0:
        return f"select {number} as id, 'v{number}' as name, {number} * 1.5 as amount\n"
    if number % 4 == 0:
        named = ", ".join(f"'{each}'" for each in parents)
        return (
            f"{{% set parents = [{named}] %}}select id, any_value(name) as name, max(amount) as amount from (\n"
            "{% for each in parents %}select id, name, amount from {{ ref(each) }}"
            "{% if not loop.last %} union all {% endif %}{% endfor %}) group by id\n"
        )
    return (
        f"select a.id, a.name, a.amount + coalesce(b.amount, 0) as amount from {{{{ ref('{parents[0]}') }}}} a"
        f" left join {{{{ ref('{parents[-1]}') }}}} b using (id)\n"
    )


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in {"dbt_project.yml": PROJECT, "profiles.yml": PROFILES, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
