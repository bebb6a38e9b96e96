"""Run by Alembic: uses the connection that geodata.db.engine hands over."""

from alembic import context

from geodata.db.tables import Base  # the package brings every table in

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
