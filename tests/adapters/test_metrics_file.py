"""The file of measurements: death at any instant, damage, a full disk, other processes."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from random import Random

import pytest

from parkade.adapters.sqlite.metrics import SqliteMetricStore
from parkade.domain.errors import ResourceLimitExceeded, Unavailable, Unreadable
from parkade.domain.series import SAGEMAKER, Series
from tests.house import ROOT
from tests.ports.test_metrics import CALLS, NOON, OTHER, after, sample


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.db"


@pytest.fixture
def store(path):
    store = SqliteMetricStore(path)
    yield store
    store.close()


def total(store, series=CALLS, days=1):
    found = store.points([series], NOON - timedelta(days=days), after(days=days), 60)[series]
    return sum(point.value.total for point in found)


def settle(store, now):
    while store.tidy(now):
        pass


# -- death ---------------------------------------------------------------------------------

_WRITER = """
import sys
from datetime import timedelta
from pathlib import Path
from parkade.adapters.sqlite.metrics import SqliteMetricStore
from tests.ports.test_metrics import CALLS, OTHER, NOON, sample
store = SqliteMetricStore(Path(sys.argv[1]))
number = 0
while True:
    at = NOON + timedelta(minutes=number % 240)
    store.add([sample(CALLS, at=at), sample(OTHER, at=at)])
    number += 1
    print(number, flush=True)
    if number % 20 == 0:
        for _ in range(3):
            store.tidy(NOON + timedelta(hours=50))
"""


@pytest.mark.parametrize("lines", [1, 60, 130])
def test_what_was_added_survives_sigkill_whatever_was_under_way(path, lines):
    """Each acknowledged batch is there, whole; and one that was not acknowledged is, or is not."""
    command = [sys.executable, "-c", _WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        try:
            for _ in range(lines):
                acknowledged = int(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
    acknowledged = int(rest[-1]) if rest else acknowledged
    with closing(SqliteMetricStore(path)) as store:
        for _ in range(2):
            assert total(store) in {acknowledged, acknowledged + 1}
            assert total(store) == total(store, OTHER)
            settle(store, after(hours=50))


# -- damage --------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"this is no database, by any means" * 50, b"\0" * 5000])
def test_a_file_that_is_none_is_told_at_each_use_and_left_alone(path, store, content):
    path.write_bytes(content)
    for use in (
        lambda: store.add([sample()]),
        lambda: store.points([CALLS], NOON, after(hours=1), 60),
        store.known,
        lambda: store.tidy(NOON),
    ):
        for _ in range(2):
            with pytest.raises(Unreadable, match=r"metrics\.db"):
                use()
    assert path.read_bytes() == content


def test_a_file_that_was_put_right_is_used_again(path, store):
    path.write_bytes(b"torn" * 2000)
    with pytest.raises(Unreadable):
        store.add([sample()])
    path.unlink()
    store.add([sample()])
    assert total(store) == 1


def taken_away(path):
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()


def torn(path):
    taken_away(path)
    path.write_bytes(b"torn" * 2000)


def replaced(path):
    taken_away(path)
    with closing(SqliteMetricStore(path)) as other:
        other.add([sample(value=5)])


@pytest.mark.parametrize(("change", "there"), [(taken_away, 0), (replaced, 5)])
def test_a_file_that_is_taken_away_while_it_is_in_use_is_told_once_and_begun_anew(
    path, store, change, there
):
    store.add([sample()])
    assert total(store) == 1
    change(path)
    assert total(store) == there
    store.tidy(NOON)
    with pytest.raises(Unavailable, match="removed or replaced"):
        store.add([sample()])
    store.add([sample()])
    assert total(store) == there + 1
    with closing(SqliteMetricStore(path)) as other:
        assert total(other) == there + 1


def test_a_file_that_is_replaced_by_none_is_told_until_it_is_put_right(path, store):
    store.add([sample()])
    torn(path)
    for _ in range(2):
        with pytest.raises(Unreadable):
            store.add([sample()])
        with pytest.raises(Unreadable):
            total(store)
    taken_away(path)
    with pytest.raises(Unavailable, match="removed or replaced"):
        store.add([sample()])
    store.add([sample()])
    assert total(store) == 1


def test_the_database_alone_taken_away_leaves_nothing_of_it_to_the_next(path, store):
    store.add([sample(), sample(OTHER)])
    path.unlink()
    assert total(store) == 0
    assert store.known() == []
    with pytest.raises(Unavailable):
        store.add([sample(OTHER)])
    store.add([sample(OTHER)])
    assert [known.series for known in store.known()] == [OTHER]


def test_another_programs_file_is_left_alone(path, store):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(Unreadable, match="another program"):
        store.add([sample()])


def test_a_folder_that_is_gone_is_told(tmp_path):
    store = SqliteMetricStore(tmp_path / "nowhere" / "metrics.db")
    with pytest.raises(Unavailable):
        store.add([sample()])
    (tmp_path / "nowhere").mkdir()
    store.add([sample()])
    assert total(store) == 1
    store.close()


def test_a_page_that_is_torn_never_gives_wrong_numbers(path):
    """Whatever bytes of the file are overwritten: right, or Unreadable, or damaged series."""
    with closing(SqliteMetricStore(path)) as store:
        for n in range(30):
            series = Series.of(SAGEMAKER, "Invocations", EndpointName=f"e{n}", VariantName="v")
            store.add([sample(series, at=after(minutes=m), value=n * m) for m in range(0, 200, 3)])
        settle(store, after(days=2))
    whole = path.read_bytes()
    wanted = Series.of(SAGEMAKER, "Invocations", EndpointName="e7", VariantName="v")
    expected = sum(7.0 * m for m in range(0, 200, 3))
    seen = set()
    for place in range(0, len(whole), 1499):
        torn = bytearray(whole)
        torn[place : place + 40] = Random(place).randbytes(  # noqa: S311  to be had again
            len(torn[place : place + 40])
        )
        path.write_bytes(torn)
        with closing(SqliteMetricStore(path)) as store:
            try:
                found = store.points([wanted], NOON, after(days=1), 60)
            except (Unreadable, Unavailable):
                seen.add("unreadable")
                continue
        if wanted in found.unreadable:
            seen.add("damaged")
            continue
        numbers = sum(point.value.total for point in found[wanted])
        # Where the name itself was torn, the series is not known any more.
        assert numbers == expected or not found[wanted]
        seen.add("right")
    assert "right" in seen
    assert seen & {"unreadable", "damaged"}


def test_a_series_whose_dimensions_are_torn_is_left_out_of_the_list(path, store, caplog):
    store.add([sample(CALLS), sample(OTHER)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE series SET dimensions = substr(dimensions, 9) WHERE dimensions LIKE '%falcon%'"
        )
    assert [known.series for known in store.known()] == [OTHER]
    assert "cannot be read" in caplog.text


# -- a full disk ---------------------------------------------------------------------------


def test_a_full_disk_loses_nothing_that_was_there(path, store):
    store.add([sample(at=after(minutes=each)) for each in range(100)])
    with store._file.writing() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    many = [
        sample(Series.of(SAGEMAKER, "Invocations", EndpointName=f"e{n}"), at=after(minutes=n % 60))
        for n in range(500)
    ]
    with pytest.raises(ResourceLimitExceeded, match="full"):
        store.add([sample(value=1000), *many])
    assert total(store) == 100
    assert [known.series for known in store.known()] == [CALLS]
    with store._file.writing() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    store.add(many)
    assert len(store.known()) == 501


def test_a_tidying_that_fails_is_done_by_the_next(path, store):
    store.add([sample(at=after(minutes=each)) for each in range(300)])
    with store._file.writing() as connection:
        connection.execute("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(path)) as blocker:
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            settle(store, after(days=2))
        blocker.execute("ROLLBACK")
    settle(store, after(days=2))
    assert total(store) == 300


# -- others --------------------------------------------------------------------------------


def test_two_processes_may_use_it(path, store):
    with closing(SqliteMetricStore(path)) as other:
        store.add([sample()])
        other.add([sample(), sample(OTHER)])
        store.add([sample(OTHER)])
        settle(other, after(days=200))
        store.add([sample(at=after(days=200))])
    assert store.known()[0].newest == after(days=200)
    assert len(store.known()) == 1


def test_it_is_for_its_owners_eyes(path, store):
    store.add([sample()])
    assert path.stat().st_mode & 0o777 == 0o600
