"""Holds control up in one write of its own database, so that it can be killed there for sure.

A trigger that never ends runs in the very write. What was done before it is done then, and is not
stored as done.
"""

import sqlite3
from contextlib import closing

from tests.house import PATIENCE

_TRIGGER = """
    CREATE TRIGGER held_up BEFORE {write} ON {table} WHEN {when}
    BEGIN
        SELECT count(*) FROM (
            WITH RECURSIVE forever(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM forever)
            SELECT n FROM forever
        );
    END
"""


def hold_up(house, table, *, before, then, write="UPDATE"):
    """Hold control up where `then` is true of a write (None: nowhere), and no longer as before.

    What a table's rows are stored over each other with is an INSERT.
    """
    with closing(
        sqlite3.connect(house.paths.database, timeout=PATIENCE, isolation_level=None)
    ) as database:
        database.execute("BEGIN IMMEDIATE")
        if before:
            database.execute("DROP TRIGGER held_up")
        if then:
            database.execute(_TRIGGER.format(table=table, when=then, write=write))
        database.execute("COMMIT")


def is_writing(house):
    """Tell whether control is in a write that does not end."""
    with closing(
        sqlite3.connect(house.paths.database, timeout=0.2, isolation_level=None)
    ) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        database.execute("ROLLBACK")
        return False


def rows(house, statement, *values):
    """Read the database, whoever is alive."""
    with closing(sqlite3.connect(house.paths.database, timeout=PATIENCE)) as database:
        return database.execute(statement, values).fetchall()
