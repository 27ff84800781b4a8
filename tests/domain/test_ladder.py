"""The ladder: grace, windows, notice, stop; what begins them anew, and what does not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.errors import Conflict
from parkade.domain.idle import IdleRules
from parkade.domain.ladder import Rung, climb, postponed
from tests.builders import NOW, a_reading, a_watch, minutes, seconds, some_use
from tests.domain import strategies

IDLE = some_use()
UNKNOWN = some_use(a_reading(), a_reading("green", quiet_since=None, why="no point since 11:00"))
TOLD = {"noticed_at": NOW + minutes(15)}


def used_until(after):
    """A use of which the last was so long after NOW."""
    return some_use(a_reading(quiet_since=NOW + after), used_at=NOW + after)


def rung(after, use=IDLE, **watch):
    return climb(NOW + after, a_watch(**watch), use).rung


def test_it_is_noticed_after_two_windows_and_stopped_after_three_to_the_microsecond():
    instant = seconds(0.000001)
    assert rung(minutes(15) - instant) is None
    assert rung(minutes(15)) is Rung.NOTICE
    assert rung(minutes(15), **TOLD) is None
    assert rung(minutes(20) - instant, **TOLD) is None
    assert rung(minutes(20), **TOLD) is Rung.STOP
    assert rung(minutes(20)) is Rung.STOP  # a stop needs no notice that nobody could give


def test_each_look_says_when_to_look_again_and_what_follows():
    first = climb(NOW, a_watch(), IDLE)
    assert first.next_at == NOW + minutes(15)
    assert first.reason == "its windows begin in 5 min; it is stopped in 20 min"
    told = climb(NOW + minutes(16), a_watch(**TOLD), IDLE)
    assert told.next_at == NOW + minutes(20)
    assert told.reason == (
        "idle for 11 min: 2 windows of 5 min without use; it is stopped in 4 min"
    )
    assert climb(NOW + minutes(20), a_watch(), IDLE).next_at is None


def test_use_begins_the_windows_again():
    use = used_until(minutes(12))
    assert rung(minutes(22) - seconds(1), use) is None
    assert rung(minutes(22), use) is Rung.NOTICE
    assert rung(minutes(27), use, noticed_at=NOW + minutes(22)) is Rung.STOP


def test_a_notice_is_given_again_in_another_idle_time():
    assert rung(minutes(22), used_until(minutes(12)), noticed_at=NOW + minutes(11)) is Rung.NOTICE


@pytest.mark.parametrize(
    ("rules", "at", "due"),
    [
        ({"notice_after": None}, 15, None),
        ({"notice_after": None}, 20, Rung.STOP),
        ({"stop_after": None}, 60, Rung.NOTICE),
        ({"notice_after": None, "stop_after": None}, 600, None),
        ({"notice_after": 5}, 20, Rung.STOP),
        ({"grace": minutes(0), "window": minutes(1), "stop_after": 1}, 1, Rung.STOP),
    ],
)
def test_a_missing_rung_is_passed_over(rules, at, due):
    assert rung(minutes(at), rules=IdleRules(**rules)) is due


def test_a_watch_that_began_later_gives_its_windows_from_then():
    assert rung(minutes(30), since=NOW + minutes(20)) is Rung.NOTICE
    assert rung(minutes(30) - seconds(1), since=NOW + minutes(20)) is None


def test_a_snooze_lets_the_windows_begin_when_it_ends():
    snoozed = {"snoozed_at": NOW + minutes(16), "snoozed_until": NOW + minutes(76)}
    assert rung(minutes(85), **snoozed) is None
    assert rung(minutes(86), **snoozed) is Rung.NOTICE
    assert rung(minutes(91), **snoozed) is Rung.STOP


def test_it_is_snoozed_once_in_an_idle_time_and_again_after_use():
    until = NOW + minutes(80)
    snoozed = postponed(a_watch(), IDLE, NOW + minutes(16), until)
    assert (snoozed.snoozed_at, snoozed.snoozed_until) == (NOW + minutes(16), until)
    for use in (IDLE, None, UNKNOWN, used_until(minutes(12))):
        with pytest.raises(Conflict, match="one idle time is postponed once"):
            postponed(snoozed, use, NOW + minutes(30), until)
    for use in (used_until(minutes(17)), some_use(in_flight=1)):
        assert postponed(snoozed, use, NOW + minutes(30), until).snoozed_at == NOW + minutes(30)


def test_what_is_not_known_is_told_once_it_lasts_a_window():
    unknown = climb(NOW + minutes(60), a_watch(unknown_since=NOW + minutes(58)), UNKNOWN)
    assert unknown.rung is None
    assert unknown.next_at == NOW + minutes(63)
    told = climb(NOW + minutes(63), a_watch(unknown_since=NOW + minutes(58)), UNKNOWN)
    assert told.rung is Rung.UNKNOWN
    assert "no point since 11:00" in told.reason


def test_the_evidence_says_what_it_was_decided_on():
    step = climb(NOW + minutes(20), a_watch(), IDLE)
    assert step.evidence["idle_since"] == "2026-03-01T12:05:00Z"
    assert step.evidence["stops_at"] == "2026-03-01T12:20:00Z"
    assert step.evidence["opted_in_by"] == "tag auto-maintain=true"
    assert step.evidence["use"] == IDLE.evidence()


@given(strategies.watches(), strategies.uses(), strategies.offsets)
def test_any_use_and_any_want_of_knowledge_within_its_windows_keeps_it(watch, use, after):
    now = NOW + after
    step = climb(now, watch, use)
    if use.why_not or (now - use.quiet_since < watch.rules.window):
        assert step.rung is not Rung.STOP
        if not use.unknown:
            assert step.rung is None


@given(strategies.watches(), strategies.quiet_uses(), strategies.offsets)
def test_it_stops_exactly_when_its_last_window_ends(watch, use, after):
    stop_after, quiet_since = watch.rules.stop_after, use.quiet_since
    now = NOW + after
    begun = max(quiet_since, watch.begins)
    due = stop_after is not None and now >= begun + watch.rules.window * stop_after
    assert (climb(now, watch, use).rung is Rung.STOP) is due


@given(strategies.watches(), strategies.uses(), strategies.offsets, st.floats(0, 1))
def test_nothing_is_due_earlier_than_the_next_look(watch, use, after, part):
    now = NOW + after
    watch = replace(watch, unknown_since=watch.unknown_since or now if use.unknown else None)
    first = climb(now, watch, use)
    horizon = first.next_at or now + minutes(600)
    assert horizon > now
    between = now + (horizon - now) * part
    if between < horizon:
        assert climb(between, watch, use).rung is first.rung
