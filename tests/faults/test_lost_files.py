"""The files of what was measured and spent are damaged, replaced, removed; the clock is set.

Whatever becomes of them, nothing is stopped that nobody knows to be idle, and somebody is told.
"""

import json
import signal
import sqlite3
import threading
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta

import httpx
import psutil
import pytest

from tests.clients.series import measured, of
from tests.house import PATIENCE, house, wait_for

#: A minute of leases is a tenth of a second here.
SCALE = "600"
HOUR = timedelta(hours=1)
#: From the beginning of what is known to the stop: less than the hour by which the clock is set.
WINDOWS = 45
IDLE = timedelta(minutes=WINDOWS)
TAGS = {
    "auto-maintain": "true",
    "auto-maintain.grace": "0s",
    "auto-maintain.window": "1m",
    "auto-maintain.notice-after": "never",
    "auto-maintain.stop-after": str(WINDOWS),
}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    with house(tmp_path_factory.mktemp("lost") / "state", "--time-scale", SCALE) as built:
        built.furnish()
        yield built


def instant(text):
    return datetime.fromisoformat(str(text))


def now_of(own):
    return instant(own.ok("GET", "/v1/plan").json()["now"])


def pass_time(own, until):
    wait_for(lambda: now_of(own) > until, why=f"the clock to be past {until}")


def events(own, kind, after=0, **query):
    return [each for each in own.events(kind=kind, **query) if each["number"] > after]


def event(own, kind, after=0, **query):
    """Return the newest event of a kind, once there is one behind the number `after`."""
    return wait_for(lambda: events(own, kind, after, **query), why=f"{kind}")[-1]


def newest(own):
    return max(each["number"] for each in own.events(order="latest"))


@contextmanager
def watched(own, name):
    """Park an endpoint that is stopped for idleness; give its calls once it is watched.

    It is called meanwhile: however long this machine takes, it is not idle before it is left alone.
    """
    answers, over = [], threading.Event()

    def call():
        while not over.wait(0.1):
            with suppress(httpx.TransportError):  # nobody listens any more
                answers.append(own.invoke(name).status_code)

    form = {"config_name": "demo-config", "minutes": 60 * 24 * 6.9, "tags": TAGS}
    own.ok("PUT", f"/v1/leases/{name}", json=form)
    caller = threading.Thread(target=call)
    caller.start()
    try:
        own.wait_state(name, "running")
        event(own, "watch.begun", endpoint=name)
        yield answers
    finally:
        over.set()
        caller.join()


def ended(own, name, after=0):
    """Return the end of its lease, with what it was decided on."""
    found = event(own, "lease.ended", after, endpoint=name)
    assert found["data"]["ended"] == "idle"
    assert found["data"]["evidence"]["windows"] >= WINDOWS
    return instant(found["at"]), instant(found["data"]["evidence"]["idle_since"])


def files(own, name):
    return list(own.state.glob(f"{name}*"))


@contextmanager
def at_once(own):
    """What is done to its files meanwhile is one moment for control."""
    (control,) = own.of("control")
    control.suspend()
    try:
        wait_for(lambda: control.status() == psutil.STATUS_STOPPED)
        yield
    finally:
        with suppress(psutil.NoSuchProcess):  # it was killed in that very moment
            control.resume()


def taken_away(own, name):
    """Take a database away, with what SQLite keeps beside it."""
    for each in files(own, name):
        each.unlink()


def garbage(own, name):
    taken_away(own, name)
    (own.state / name).write_bytes(b"this is not a database " * 500)


def left_alone(own):
    """Return once what was watched has not been called for longer than it may be."""
    pass_time(own, now_of(own) + IDLE * 1.5)


def test_while_measurements_cannot_be_stored_nothing_is_idle_and_what_is_counted_is_kept(own):
    mark = newest(own)
    with watched(own, "unstored") as answers:
        begun = now_of(own)
        with at_once(own):
            garbage(own, "metrics.db")
        told = event(own, "monitor.unavailable", mark)
        assert "metrics.db" in told["reason"]
        event(own, "endpoint.use_unknown", mark, endpoint="unstored")
        before = answers.count(200)
        assert own.invoke("unstored").is_success
    # One call more may have been counted before there was trouble, and was told after it.
    least, most = answers.count(200) - before, answers.count(200) + 1
    left_alone(own)
    assert own.state_of("unstored") == "running"
    assert events(own, "lease.ended", mark) == []
    assert len(events(own, "monitor.unavailable", mark)) == 1
    with at_once(own):
        taken_away(own, "metrics.db")
    event(own, "monitor.available", mark)
    stopped, idle_since = ended(own, "unstored", mark)
    assert stopped >= idle_since + IDLE > begun + IDLE
    with measured(own) as series:
        assert least <= series.total("Invocations", **of("unstored")) <= most


def test_a_control_process_that_comes_back_over_a_damaged_file_stops_nothing(own):
    mark = newest(own)
    with watched(own, "torn"):
        with at_once(own):
            garbage(own, "metrics.db")
            former = own.kill("control")
        own.wait_reborn("control", former)
        event(own, "monitor.unavailable", mark)
        event(own, "endpoint.use_unknown", mark, endpoint="torn")
    left_alone(own)
    assert own.state_of("torn") == "running"
    assert events(own, "lease.ended", mark) == []
    with at_once(own):
        taken_away(own, "metrics.db")
    event(own, "monitor.available", mark)
    own.ok("DELETE", "/v1/leases/torn")


def test_files_that_are_removed_while_they_are_in_use_are_told_and_begun_anew(own):
    mark = newest(own)
    troubles = {"metrics.db": "monitor.unavailable", "spend.db": "spend.unreadable"}
    mended = {"metrics.db": "monitor.available", "spend.db": "spend.readable"}
    with watched(own, "removed"):
        begun = now_of(own)
        for name, kind in troubles.items():
            with at_once(own):
                taken_away(own, name)
            told = event(own, kind, mark)
            assert f"{name} was removed or replaced" in told["reason"]
            event(own, mended[name], mark)
    stopped, idle_since = ended(own, "removed", mark)
    assert stopped >= idle_since + IDLE >= begun + IDLE
    for name, table in (("metrics.db", "points"), ("spend.db", "tallies")):
        with closing(sqlite3.connect(own.state / name, timeout=PATIENCE)) as database:
            [(rows,)] = database.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
            assert rows > 0


def test_files_that_are_gone_when_control_comes_back_are_told_and_nothing_is_known_of_before(own):
    mark = newest(own)
    with watched(own, "away"):
        before = now_of(own)
        with at_once(own):
            taken_away(own, "metrics.db")
            taken_away(own, "spend.db")
            former = own.kill("control")
    own.wait_reborn("control", former)
    told = sorted(str(each["reason"]) for each in events(own, "store.missing", mark))
    assert [each.partition(" ")[0] for each in told] == ["metrics.db", "spend.db"]
    stopped, idle_since = ended(own, "away", mark)
    assert idle_since >= before
    assert stopped >= idle_since + IDLE


def test_a_disk_that_takes_nothing_stops_nothing_and_ends_no_process(own):
    """Control may make no file longer: to SQLite that is a disk which takes nothing."""
    mark = newest(own)
    [control] = own.of("control")
    before = control.rlimit(psutil.RLIMIT_FSIZE)
    try:
        with watched(own, "full") as answers:
            begun = now_of(own)
            control.rlimit(psutil.RLIMIT_FSIZE, (0, before[1]))
            assert own.invoke("full").is_success
        left_alone(own)
        assert own.invoke("full").is_success
        assert own.call("POST", "/v1/leases/full/extend", json={"minutes": 1}).status_code == 503
        assert own.state_of("full") == "running"
        assert [each.pid for each in own.of("control")] == [control.pid]
    finally:
        control.rlimit(psutil.RLIMIT_FSIZE, before)
    stopped, idle_since = ended(own, "full", mark)
    assert stopped >= idle_since + IDLE > begun + IDLE
    assert [each.pid for each in own.of("control")] == [control.pid]
    with measured(own) as series:
        series.wait_total(answers.count(200) + 2, "Invocations", **of("full"))


def set_clock(own, span):
    """Set the clock of leases of a Parkade that does not run."""
    with closing(sqlite3.connect(own.paths.database)) as database, database:
        [(text,)] = database.execute("SELECT value FROM meta WHERE key = 'clock'")
        scale = json.loads(text)
        scale["scaled"] = (instant(scale["scaled"]) + span).isoformat()
        database.execute("UPDATE meta SET value = ? WHERE key = 'clock'", (json.dumps(scale),))


@pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
def test_a_clock_that_is_set_between_two_runs_makes_nothing_idle_and_ends_no_lease(own, hours):
    name = {1: "forward", -1: "back"}[hours]
    with watched(own, name):
        before, mark = now_of(own), newest(own)
        # It ends in order: what it has begun to answer is answered.
        own.supervisor.send_signal(signal.SIGINT)
    assert own.ended() == 0
    set_clock(own, HOUR * hours)
    own.up()
    own.wait_state(name, "running")
    stopped, idle_since = ended(own, name, mark)
    # No second run can have begun earlier than the first one ended.
    assert idle_since >= before + HOUR * hours
    assert stopped >= idle_since + IDLE
    assert events(own, "store.missing", mark) == []
