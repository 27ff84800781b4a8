"""The commands on sleep."""

import pytest

from tests.builders import minutes, some_use


@pytest.fixture
def running(desk):
    """A desk in front of a world in which `text` is in service, paid for 30 minutes."""
    desk.world.add("text")
    desk.start()
    return desk


def slept(desk):
    """Let it be asleep for 12 minutes."""
    desk.world.sweep()
    desk.world.hosting.settle("text")
    desk.world.clock.advance(minutes(12))


def test_sleep_settles_shows_and_ends_what_is_settled(running):
    assert running.ok("sleep", "text") == (
        "text: it does not sleep by itself; settle it with: --after 10\n"
    )
    shown = "text: sleeps after 10 min without use, its clock paused, callers held for 20 s\n"
    given = ("--after", "10", "--pause-clock", "--hold", "20")
    assert running.ok("sleep", "text", *given) == shown
    assert running.ok("sleep", "text") == shown
    assert running.json("sleep", "text")["sleep"]["pause_clock"] is True
    assert "sleeps after 10 min without use" in running.ok("show", "text")
    unpaused = running.ok("sleep", "text", "--run-clock", "--hold", "0")
    assert unpaused == "text: sleeps after 10 min without use\n"
    wakes = running.ok("sleep", "text", "--wake-minutes", "15", "--wake-at-most", "60")
    assert wakes.endswith("; once over, a request buys 15 min, 1 h at most\n")
    assert running.ok("sleep", "text", "--off").startswith("text: it does not sleep by itself")


def test_what_sleeps_says_for_how_long_and_what_that_saves(running):
    running.ok("sleep", "text", "--pause-clock")
    assert "text: asleep for 0.0 s" in running.ok("sleep", "text", "--now")
    slept(running)
    said = running.ok("show", "text")
    assert "☾ asleep since 12:00" in said
    assert "for 12 min, since 2026-03-01 12:00:00 UTC, with its clock paused: " in said
    assert "would expire" in said
    assert "☾ asleep since 12:00" in running.ok("ls")
    assert "asleep for 12 min" in running.ok("plan")
    assert "without use" not in running.ok("why", "text")


def test_wake_asks_once_and_waits_where_it_is_to(running):
    running.ok("sleep", "text", "--now")
    slept(running)
    assert running.ok("wake", "text") == "text: asked for\n"
    assert "and asked for" in running.ok("sleep", "text")

    def goes_on(_):
        running.world.sweep()
        running.world.hosting.settle("text")

    running.front.looks_on = goes_on
    assert running.ok("wake", "text", "--wait") == "text: running\n"
    assert running.ok("wake", "text") == "text: running\n"


def test_a_coin_says_that_it_wakes_nothing_and_does_not_wait_for_that(running):
    running.ok("sleep", "text", "--now")
    slept(running)
    said = running.ok("extend", "text", "--minutes", "5", "--wait")
    assert said.startswith("text: asleep, 23 min left")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (("--off", "--now"), "--off excludes all other options"),
        (("--off", "--after", "5"), "--off excludes all other options"),
        (("--wake-minutes", "5"), "--wake-minutes and --wake-at-most go together"),
        (("--after", "0.5"), "sleep.after 30 s is not within 1 min to 365 d"),
        (("--hold", "-1"), "hold_seconds -1.0 is not within 0 to 3600"),
    ],
)
def test_what_cannot_be_settled_is_one_line(running, given, line):
    assert line in running.error("sleep", "text", *given)


def test_what_is_used_or_over_or_unknown_is_one_line(running):
    running.world.usage.told["text"] = some_use(in_flight=1)
    assert "1 request under way" in running.error("sleep", "text", "--now")
    running.ok("stop", "text")
    assert "parkade start text --minutes 30" in running.error("wake", "text")
    assert "no lease" in running.error("wake", "nonesuch")
