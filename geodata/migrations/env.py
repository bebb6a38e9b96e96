"""Run by Alembic: uses the connection that geodata.database hands over."""

from alembic import context

from geodata import (  # noqa: F401 - their tables belong to the schema
    edition_tables,
    import_tables,
    job_tables,
    tables_people,
    work_tables,
)
from geodata.tables import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
