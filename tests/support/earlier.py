"""Databases as earlier versions left them, made of one of this version."""

from sqlalchemy import text

RUN_LISTS = ("family", "n_factors", "n_incidents", "readable")
LATER = (  # columns that came after schema 0018
    ("city", "titles"),
    ("city", "units"),
    ("source", "addresses"),
    ("incident", "place_method"),
    ("incident", "place_score"),
    ("import_version", "arrivals"),
    ("base_shape", "street_class"),
    ("person", "email"),
    ("release", "returned_by"),
    ("release", "returned_at"),
    ("release", "returned_why"),
)


def before_run_lists(connection):
    """Take a database back to schema 0017: what lists say of runs stood in their documents."""
    for table in ("schedule_run", "archived", "zone_name", "named_area", "base_map"):
        connection.execute(text(f"DROP TABLE {table}"))
    of_table = " ON release" if connection.dialect.name == "postgresql" else ""
    for moment in ("update", "delete"):
        connection.execute(text(f"DROP TRIGGER release_is_fixed_{moment}{of_table}"))
    for table, column in LATER:
        connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
    connection.execute(text("DROP INDEX ix_run_listed"))
    connection.execute(text("CREATE INDEX ix_run_city_id_created_at ON run (city_id, created_at)"))
    for column in RUN_LISTS:
        connection.execute(text(f"ALTER TABLE run DROP COLUMN {column}"))
    connection.execute(text("UPDATE alembic_version SET version_num = '0017'"))


def before_measures(connection):
    """Take a database at schema 0017 back to 0016: no city declared measures."""
    connection.execute(text("ALTER TABLE city DROP COLUMN measures"))
    connection.execute(text("UPDATE alembic_version SET version_num = '0016'"))
