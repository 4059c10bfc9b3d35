"""Alembic's entry: runs the migrations on the connection that services.database hands over."""

from alembic import context
from sqlmodel import SQLModel

import models.cluster
import models.google
import models.notification
import models.preset
import models.project
import models.run
import models.saved_view
import models.system  # noqa: F401  imported so that the metadata is whole

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
