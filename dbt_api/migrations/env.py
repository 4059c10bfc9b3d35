"""Alembic's entry: runs the migrations on the connection that dbt_api.database hands over."""

from alembic import context
from sqlmodel import SQLModel

import dbt_api.tables  # noqa: F401  imported so that the metadata is whole
from dbt_api.database import VERSION_TABLE

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
