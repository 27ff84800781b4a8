"""Several processes on one file, some of them killed."""

import multiprocessing
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.events import SqliteHistory
from parkade.adapters.sqlite.leases import SqliteLeaseBook
from parkade.adapters.sqlite.meta import SqliteMeta
from parkade.domain.errors import Unavailable
from parkade.ports.events import EventQuery
from tests.adapters import racing
from tests.builders import a_coin, a_lease, an_event, minutes

ROOT = Path(__file__).parents[2]
SPAWN = multiprocessing.get_context("spawn")


def started(deed, path):
    """A process that does this deed of `racing`."""
    code = f"from pathlib import Path; from tests.adapters import racing; racing.{deed}(Path({str(path)!r}))"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_all(processes):
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)


def test_no_minute_of_many_processes_is_lost(path, database):
    """Invariant 3: N concurrent extensions add N times the minutes."""
    book = SqliteLeaseBook(database)
    first = book.put(a_lease(), an_event())
    barrier = SPAWN.Barrier(8)
    run_all([SPAWN.Process(target=racing.extend, args=(path, 25, barrier)) for _ in range(8)])
    last = book.get("falcon")
    assert last.expires_at == first.expires_at + minutes(200)
    assert last.version == 201
    events = SqliteHistory(database).read(EventQuery(kinds=("lease.extended",), limit=1000))
    assert [event.number for event in events] == list(range(2, 202))


def test_processes_that_make_the_file_at_once_agree(path):
    barrier, answers = SPAWN.Barrier(6), SPAWN.SimpleQueue()
    run_all([
        SPAWN.Process(target=racing.open_first, args=(path, barrier, answers, f"id-{number}"))
        for number in range(6)
    ])  # fmt: skip
    assert len({answers.get() for _ in range(6)}) == 1
    answers.close()


def test_a_process_killed_in_the_middle_of_a_transaction_leaves_nothing_half(path, database):
    """Invariant 5: a crash between any two steps is repaired."""
    book = SqliteLeaseBook(database)
    before = book.put(a_lease(), an_event())
    with started("stop_in_the_middle", path) as process:
        assert process.stdout.readline() == "in the middle\n"
        assert book.get("falcon") == before  # readers are not held up meanwhile
        process.send_signal(signal.SIGKILL)
        process.wait()
    with closing(Database(path)) as again:
        assert SqliteLeaseBook(again).get("falcon") == before
        assert len(SqliteHistory(again).read(EventQuery())) == 1
        SqliteLeaseBook(again).put(before, an_event("lease.extended"))


@pytest.mark.parametrize("after", [1, 7, 30])
def test_a_killed_process_loses_nothing_that_it_said_was_stored(path, after):
    with closing(Database(path)) as database:
        first = SqliteLeaseBook(database).put(a_lease(), an_event())
    with started("extend_for_ever", path) as process:
        said = [int(process.stdout.readline()) for _ in range(after)][-1]
        process.send_signal(signal.SIGKILL)
        process.wait()
        rest = process.stdout.read().split()
        said = int(rest[-1]) if rest else said
    with closing(Database(path)) as database:
        book = SqliteLeaseBook(database)
        last = book.get("falcon")
        assert said <= last.version <= said + 1
        assert last.expires_at == first.expires_at + minutes(last.version - 1)
        events = SqliteHistory(database).read(EventQuery(limit=100_000))
        assert len(events) == last.version
        assert book.spent(a_coin(f"key-{last.version - 1}")) == last
        assert book.spent(a_coin(f"key-{last.version}")) is None


def test_a_writer_waits_for_another_process(path, database):
    with started("hold", path) as process:
        assert process.stdout.readline() == "held\n"
        waiting = threading.Thread(target=SqliteMeta(database).put, args=("key", "value"))
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        process.stdin.write("\n")
        process.stdin.flush()
        waiting.join()
    assert SqliteMeta(database).get("key") == "value"


def test_a_writer_that_waits_in_vain_says_so(path):
    with closing(Database(path, busy_timeout=0.1)) as database, started("hold", path) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(Unavailable, match=str(path)) as error:
            SqliteMeta(database).put("key", "value")
        assert error.value.hint
        assert error.value.retry_after
        assert SqliteMeta(database).get("key") is None  # readers need not wait
        process.stdin.write("\n")
        process.stdin.flush()
        process.wait()
        SqliteMeta(database).put("key", "value")


def test_a_process_that_comes_and_goes_takes_nothing_from_under_another(path, database):
    meta = SqliteMeta(database)
    meta.put("seen", "before")
    # A second connection of this process, as for a moment at the start of control.
    with closing(Database(path)):
        pass
    code = (
        "import sys; from pathlib import Path; from contextlib import closing;"
        "from parkade.adapters.sqlite.database import Database;"
        "from parkade.adapters.sqlite.meta import SqliteMeta;"
        "database = Database(Path(sys.argv[1]));"
        "SqliteMeta(database).put('seen', 'after'); database.close()"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, cwd=ROOT)
    assert path.with_name(path.name + "-wal").exists()
    assert meta.get("seen") == "after"
    meta.put("told", "to all")
    with closing(Database(path)) as another:
        assert SqliteMeta(another).get("told") == "to all"
