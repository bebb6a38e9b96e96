"""Databases as earlier versions left them, made of one of this version."""

from sqlalchemy import text

RUN_LISTS = ("family", "n_factors", "n_incidents", "readable")


def before_run_lists(connection):
    """Take a database back to schema 0017: what lists say of runs stood in their documents."""
    connection.execute(text("DROP INDEX ix_run_listed"))
    connection.execute(text("CREATE INDEX ix_run_city_id_created_at ON run (city_id, created_at)"))
    for column in RUN_LISTS:
        connection.execute(text(f"ALTER TABLE run DROP COLUMN {column}"))
    connection.execute(text("UPDATE alembic_version SET version_num = '0017'"))


def before_measures(connection):
    """Take a database at schema 0017 back to 0016: no city declared measures."""
    connection.execute(text("ALTER TABLE city DROP COLUMN measures"))
    connection.execute(text("UPDATE alembic_version SET version_num = '0016'"))
