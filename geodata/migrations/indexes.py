"""What the two databases do differently: box indexes and write-once tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import op

if TYPE_CHECKING:
    from collections.abc import Sequence

EDGES = ("west", "east", "south", "north")


def add_box_index(table: str, column: str = "geom") -> None:
    """Index the bounding boxes of a geometry column.

    PostGIS has GiST. SQLite gets an R*Tree beside the table, kept in step by triggers; these call
    the ``shape_...`` functions that :mod:`geodata.db.engine` gives every connection, so a program
    that writes without them is refused instead of leaving the index behind.
    """
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE INDEX ix_{table}_{column}_box ON {table} USING gist ({column})")
        return
    op.execute(f"CREATE VIRTUAL TABLE {table}_box USING rtree(id, {', '.join(EDGES)})")
    edges = ", ".join(f"shape_{edge}(new.{column})" for edge in EDGES)
    insert = (  # names of our own tables
        f"INSERT INTO {table}_box SELECT new.id, {edges} WHERE shape_west(new.{column}) IS NOT NULL"
    )
    remove = f"DELETE FROM {table}_box WHERE id = old.id"
    for moment, body in (
        ("INSERT", f"{insert};"),
        (f"UPDATE OF id, {column}", f"{remove}; {insert};"),
        ("DELETE", f"{remove};"),
    ):
        name = f"{table}_box_{moment.split()[0].lower()}"
        op.execute(f"CREATE TRIGGER {name} AFTER {moment} ON {table} BEGIN {body} END")


def forbid_changes(table: str) -> None:
    """Make a table write-once: rows can be added, never altered."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {table}_is_fixed() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_never_changed(table)}'; END $$"
        )
    forbid_again(table)


def allow_changes(table: str) -> None:
    """Let an upgrade fill new columns of a write-once table; :func:`forbid_again` ends it."""
    of_table = f" ON {table}" if op.get_bind().dialect.name == "postgresql" else ""
    op.execute(f"DROP TRIGGER {table}_is_fixed{of_table}")


def forbid_again(table: str) -> None:
    """Forbid changes of a write-once table, as before :func:`allow_changes`."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_is_fixed BEFORE UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_is_fixed()"
        )
        return
    op.execute(
        f"CREATE TRIGGER {table}_is_fixed BEFORE UPDATE ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{_never_changed(table)}'); END"
    )


def _never_changed(table: str) -> str:
    return f"a stored {table} is never changed"


def forbid_all_but_adding(table: str) -> None:
    """Make a table append-only: rows are never altered and never taken away."""
    forbid_changes(table)
    if op.get_bind().dialect.name == "postgresql":
        for moment, each in (("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            op.execute(
                f"CREATE TRIGGER {table}_is_fixed_{moment.lower()} BEFORE {moment} ON {table} "
                f"FOR EACH {each} EXECUTE FUNCTION {table}_is_fixed()"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_is_fixed_delete BEFORE DELETE ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{_never_changed(table)}'); END"
    )


def forbid_other_content(
    table: str,
    fixed: Sequence[str],
    once: Sequence[str],
    forward: Sequence[tuple[str, str]],
) -> None:
    """Keep a table's rows as they are, but for a state that goes forward.

    Parameters
    ----------
    table
        With a column ``state``.
    fixed
        Columns that are never changed.
    once
        Columns that are filled once.
    forward
        Pairs of states that may follow each other.
    """
    postgres = op.get_bind().dialect.name == "postgresql"
    differs = "{0}::text IS DISTINCT FROM {1}::text" if postgres else "{0} IS NOT {1}"
    conditions = [differs.format(f"new.{name}", f"old.{name}") for name in fixed]
    conditions += [
        f"(old.{name} IS NOT NULL AND {differs.format(f'new.{name}', f'old.{name}')})"
        for name in once
    ]
    steps = [f"(old.state = '{before}' AND new.state = '{after}')" for before, after in forward]
    conditions.append(f"(new.state <> old.state AND NOT ({' OR '.join(steps)}))")
    broken = " OR ".join(conditions)
    message = f"a stored {table} is never changed, only its state goes forward"
    if postgres:
        op.execute(
            f"CREATE OR REPLACE FUNCTION {table}_is_fixed() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$"
        )
    for moment, when in (("UPDATE", f"WHEN ({broken}) "), ("DELETE", "")):
        name = f"{table}_is_fixed_{moment.lower()}"
        body = (
            f"EXECUTE FUNCTION {table}_is_fixed()"
            if postgres
            else f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {moment} ON {table} FOR EACH ROW {when}{body}")


def allow_other_content(table: str) -> None:
    """Lift what :func:`forbid_other_content` forbids, so that it can be laid down anew."""
    of_table = f" ON {table}" if op.get_bind().dialect.name == "postgresql" else ""
    for moment in ("update", "delete"):
        op.execute(f"DROP TRIGGER IF EXISTS {table}_is_fixed_{moment}{of_table}")
