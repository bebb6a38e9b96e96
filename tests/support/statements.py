"""Which SQL a piece of work sends to a database."""

from contextlib import contextmanager

from sqlalchemy import Engine, event

BLOBS = ("run.result", "run.cells", "run.spec", "run.grid")


@contextmanager
def statements_of(database=None):
    """Gather the statements that are sent, to one database or to any, while this is open."""
    engine = Engine if database is None else database.engine
    found = []

    def note(_connection, _cursor, statement, *_rest):
        found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def blobs_in(statements):
    """Give the columns of documents and cells of runs that some statements read."""
    return sorted({blob for blob in BLOBS for one in statements if blob in one})
