"""What other processes do to a database while a test looks on."""

import sys

from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.events import record
from parkade.adapters.sqlite.leases import SqliteLeaseBook
from parkade.adapters.sqlite.meta import SqliteMeta
from parkade.domain import lease as leases
from parkade.domain.errors import VersionConflict
from tests.builders import NOW, a_coin, an_event, minutes, some_rules
from tests.house import PATIENCE


def extend(path, times, barrier):
    """Add a minute `times` times, as an operator's retries would."""
    # SQLite lets those who wait for its lock in by no turn.
    database = Database(path, busy_timeout=PATIENCE)
    book = SqliteLeaseBook(database)
    barrier.wait()
    done = 0
    while done < times:
        present = book.get("falcon")
        longer = leases.extend(present, minutes(1), NOW, some_rules())
        try:
            book.put(longer, an_event("lease.extended"))
        except VersionConflict:
            continue
        done += 1
    database.close()


def extend_for_ever(path):
    """Add minutes, and say each version once it is stored."""
    book = SqliteLeaseBook(Database(path))
    while True:
        present = book.get("falcon")
        coin = a_coin(f"key-{present.version}")
        stored = book.put(
            leases.extend(present, minutes(1), NOW, some_rules(max_ahead=minutes(10**9))),
            an_event("lease.extended"),
            coin=coin,
        )
        sys.stdout.write(f"{stored.version}\n")
        sys.stdout.flush()


def stop_in_the_middle(path):
    """Change a lease and write its event, then stop before the commit, for ever."""
    database = Database(path)
    with database.writing() as connection:
        connection.execute("UPDATE leases SET owner = 'thief', version = version + 1")
        for _ in range(2000):  # more than fits in the cache: it reaches the files
            record(connection, an_event("lease.stolen", data={"much": "x" * 5000}))
        sys.stdout.write("in the middle\n")
        sys.stdout.flush()
        sys.stdin.read()


def hold(path):
    """Keep the write lock until told to let go."""
    database = Database(path)
    with database.writing():
        sys.stdout.write("held\n")
        sys.stdout.flush()
        sys.stdin.readline()
    database.close()


def open_first(path, barrier, answers, name):
    """Open a database that is not there yet, and propose a fact about it."""
    barrier.wait()
    database = Database(path, busy_timeout=PATIENCE)
    answers.put(SqliteMeta(database).setdefault("state_id", name))
    database.close()
