"""Alembic's: runs the migrations on the connection that `migrate` in `migration.py` hands it."""

from alembic import context

from playground.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter a column
)
context.run_migrations()
