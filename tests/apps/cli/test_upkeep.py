"""The commands on idle endpoints, against a real server with services in memory."""

import json

import pytest

from parkade.domain.errors import EndpointBusy
from tests.apps.api.test_upkeep import leave
from tests.builders import a_reading, minutes, some_use


@pytest.fixture
def desk(desk):
    """A desk with `falcon` in service, tagged and on its meter."""
    desk.ok("add", "falcon", "-c", "falcon-config", "-m", "600", "--tag", "auto-maintain=true")
    desk.start("falcon")
    desk.world.hosting.settle("falcon")
    desk.world.sweep()
    return desk


def pass_by(desk, amount):
    desk.world.clock.advance(minutes(amount))
    desk.world.sweep()


def test_why_tells_the_ladder_on_one_screen(desk):
    pass_by(desk, 16)
    said = desk.ok("why", "falcon")
    for text in (
        "watches it, by tag auto-maintain=true",
        "grace 5 min, windows of 5 min, notice after 2 windows, stop after 3 windows",
        "idle for 11 min: 2 windows of 5 min without use; it is stopped in 4 min",
        "0 under way, 0 waiting",
        "VariantName=blue",
        "Last decision",
        "evidence: 1 series known and zero",
    ):
        assert text in said
    assert json.loads(desk.ok("why", "falcon", "--json"))["watch"]["noticed_at"]


def test_why_tells_what_keeps_it_and_what_is_not_known(desk):
    desk.world.usage.told["falcon"] = some_use(
        a_reading(quiet_since=None, newest=None, why="no point since 11:00"), in_flight=None
    )
    said = desk.ok("why", "falcon")
    assert "no point since 11:00" in said
    assert "not known under way" in said
    pass_by(desk, 5)
    pass_by(desk, 10)
    said = desk.ok("events", "falcon")
    assert "endpoint.use_unkno" in said
    assert "no point since 11:00; not known how many under way" in said


def test_events_show_the_evidence_of_a_stop(desk):
    pass_by(desk, 20)
    said = desk.ok("events", "falcon")
    assert "evidence: 1 series known and zero; idle since 2026-03-01 12:05:00 UTC" in said
    assert "lease.ended" in desk.ok("why", "falcon")


def test_snooze_says_until_when_and_once(desk):
    said = desk.ok("snooze", "falcon", "--minutes", "30")
    assert said == (
        "falcon: its windows without use begin at 2026-03-01 12:30:00 UTC, or when it is used\n"
    )
    result = desk.run("snooze", "falcon")
    assert result.exit_code == 1
    assert "one idle time is postponed once" in result.stderr
    assert "snoozed" in desk.ok("why", "falcon")


def test_maintain_takes_timers_as_people_write_them(desk):
    said = desk.ok("maintain", "falcon", "--window", "10m", "--stop-after", "6", "--notice-after",
                   "never", "--delete-after", "1d")  # fmt: skip
    assert said == (
        "falcon: watched, by lease settings: grace 5 min, windows of 10 min, notice never, "
        "stop after 6 windows, the lease goes 1 d after a stop\n"
    )
    assert "the lease stays" in desk.ok("maintain", "falcon", "--delete-after", "never")
    assert desk.ok("maintain", "falcon", "--off") == "falcon: the maintainer leaves it alone\n"
    assert "by tag auto-maintain=true" in desk.ok("maintain", "falcon", "--by-tag")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--off", "--by-tag"), "do not go together"),
        (("--off", "--grace", "5m"), "do not go together"),
        (("--grace", "soon"), "--grace 'soon' is not a span of time"),
        (("--stop-after", "5m"), "--stop-after '5m' is not a number of windows"),
        (("--window", "10s"), "window 10 s is not within 1 min"),
    ],
)
def test_unusable_timers_are_refused(desk, arguments, error):
    result = desk.run("maintain", "falcon", *arguments)
    assert result.exit_code == 1
    assert error in result.stderr


def test_tags_are_set_listed_and_removed(desk):
    said = desk.ok("tag", "falcon", "team=birds", "auto-maintain.window=10m")
    assert "team" in said
    assert "birds" in said
    desk.ok("tag", "falcon", "--remove", "team", "--remove", "auto-maintain.window")
    tags = json.loads(desk.ok("tag", "falcon", "--json"))
    assert tags == {"tags": {"auto-maintain": "true"}}
    desk.ok("tag", "falcon", "--remove", "auto-maintain")
    assert desk.run("tag", "falcon").stderr == "falcon has no tags\n"
    assert "has no '='" in desk.run("tag", "falcon", "team").stderr


def test_undo_brings_back_and_lists(desk):
    assert "Nothing" in desk.run("undo", "--list").stderr
    leave(desk.world)
    pass_by(desk, 60)
    desk.world.hosting.settle("falcon")
    assert "falcon-config" in desk.ok("undo", "--list")
    said = desk.ok("undo", "falcon")
    assert said == "falcon: brought back from falcon-config, with 9 h given back\n"
    assert "nothing to undo" in desk.run("undo", "falcon").stderr
    for arguments in ((), ("falcon", "--list")):
        assert "name one endpoint, or list" in desk.run("undo", *arguments).stderr


def test_undo_waits_for_what_is_still_being_deleted(desk, monkeypatch):
    leave(desk.world)
    pass_by(desk, 60)
    desk.world.hosting.settle("falcon")
    undo, calls = desk.world.services.undo, []
    original = undo.undo

    def busy(name, *, actor):
        calls.append(name)
        if len(calls) == 1:
            raise EndpointBusy(f"endpoint {name!r} is still being deleted")
        return original(name, actor=actor)

    monkeypatch.setattr(undo, "undo", busy)
    result = desk.run("undo", "falcon")
    assert result.exit_code == 0
    assert "still being deleted" in result.stderr
    assert calls == ["falcon", "falcon"]
