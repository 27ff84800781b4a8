"""How endpoints are used, by what is known; what is not known is never taken for silence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkade.apps import link
from parkade.domain.errors import Unavailable
from tests.apps.control.monitor.stage import MINUTE, START, FakeGateway, Stage, subject


def running(*subjects: object, scale: float = 1.0) -> tuple[Stage, FakeGateway]:
    """A control process and its gateway, after five quiet minutes."""
    stage = Stage(*subjects, scale=scale)  # type: ignore[arg-type]
    stage.read()
    gateway = FakeGateway("one", stage)
    gateway.report()
    stage.run(300 / scale, gateway, step=1 / scale)
    return stage, gateway


def test_without_traffic_it_is_quiet_since_it_is_known() -> None:
    stage, _ = running()
    assert stage.use().quiet_since == START
    assert stage.use().in_flight == 0
    assert not stage.use().unknown


def test_use_ends_the_quiet() -> None:
    stage, gateway = running()
    gateway.invoke(3)
    stage.run(10, gateway)
    used = stage.use()
    assert used.quiet_since == used.used_at == START + timedelta(seconds=301)


def test_only_minutes_without_use_have_a_zero() -> None:
    stage, gateway = running()
    gateway.invoke(3)
    stage.run(130, gateway)
    values = [(point.value.count, point.value.total) for point in stage.points()]
    assert values == [(1, 0), (1, 0), (1, 0), (1, 0), (1, 0), (3, 3), (1, 0)]


def test_a_request_under_way_is_use_for_as_long_as_it_lasts() -> None:
    stage, gateway = running()
    gateway.counts["e", "v"] = link.Usage(in_flight=2)
    gateway.report()
    assert stage.use().in_flight == 2
    assert stage.use().quiet_since is None
    assert not stage.use().unknown
    gateway.counts["e", "v"] = link.Usage(in_flight=0)
    gateway.report()
    assert stage.use().in_flight == 0
    assert stage.use().quiet_since == stage.now


def test_one_variant_in_use_is_enough() -> None:
    stage, gateway = running(subject(), subject(name="w"))
    gateway.invoke(name="w")
    stage.run(60, gateway)
    assert stage.use().quiet_since == START + timedelta(seconds=301)
    readings = {each.series.dimensions[1][1]: each for each in stage.use().readings}
    assert readings["v"].quiet_since == START


def test_what_a_shadow_does_is_no_use() -> None:
    stage, gateway = running(subject(), subject(name="s", shadow=True))
    gateway.invoke(name="s")
    stage.run(60, gateway)
    gateway.counts["e", "s"] = link.Usage(in_flight=2)
    gateway.report()
    assert stage.use().in_flight == 0
    assert stage.use().quiet_since == START
    assert len(stage.use().readings) == 1


def test_a_component_without_copies_that_is_asked_for_is_used() -> None:
    stage, gateway = running(
        subject(), subject(name="c", component=True, variant_name="v", instances=0)
    )
    gateway.counts["e", "c"] = link.Usage(no_capacity=1, component=True)
    stage.run(5, gateway)
    assert stage.use().quiet_since == START + timedelta(seconds=301)
    component = stage.subjects.subjects[1]
    (point,) = stage.points("NoCapacityInvocationFailures", component)
    assert point.value.total == 1


def test_requests_that_no_variant_could_be_given_are_use_of_all() -> None:
    stage, gateway = running(subject(), subject(name="w"))
    gateway.counts["e", ""] = link.Usage(in_flight=1)
    gateway.report()
    assert stage.use().in_flight == 1
    gateway.counts["e", ""] = link.Usage(invocations=1)
    gateway.report()
    assert {each.quiet_since for each in stage.use().readings} == {stage.now}


def test_an_asynchronous_endpoint_is_used_while_anything_waits() -> None:
    stage, _ = running(subject(asynchronous=True))
    assert stage.use().quiet_since == START
    stage.backlog["e"] = 2
    assert stage.use().backlog == 2
    assert stage.use().quiet_since is None
    stage.backlog["e"] = None
    assert stage.use().unknown
    stage.backlog["e"] = 0
    stage.collector.touch(stage.subjects.subjects[0], stage.now)
    assert stage.use().quiet_since == stage.now
    assert {point.value.total for point in stage.points("InvocationsProcesssed")} == {0}
    assert not stage.points("Invocations")


def test_minutes_out_of_service_have_no_zero() -> None:
    stage, gateway = running(subject(serving=False))
    stage.subjects.subjects = [subject()]
    stage.run(120, gateway)
    assert [point.at for point in stage.points()] == [START + MINUTE * 5, START + MINUTE * 6]
    assert stage.use().quiet_since == START


def test_enhanced_metrics_have_zeros_of_ten_seconds() -> None:
    stage, _ = running(subject(seconds=10))
    series = stage.subjects.subjects[0].series("Invocations")
    fine = stage.store.points([series], START, START + MINUTE, 10)[series]
    assert [point.at for point in fine] == [START + timedelta(seconds=10 * n) for n in range(6)]


def test_an_endpoint_that_hosting_does_not_have_is_not_known() -> None:
    stage, _ = running()
    assert stage.use("other").unknown
    assert stage.use("other").quiet_since is None


def test_without_a_gateway_nothing_is_known() -> None:
    stage = Stage()
    stage.read()
    assert stage.use().why_not.endswith("no gateway reports")


def test_a_gateway_that_says_nothing_for_a_while_makes_all_unknown() -> None:
    stage, gateway = running()
    stage.pass_(20)
    assert "has not reported for 20 s" in stage.use().why_not
    assert stage.use().in_flight is None
    gateway.report()
    assert stage.use().quiet_since == START


def test_a_gateway_that_took_leave_has_told_everything() -> None:
    stage, gateway = running()
    gateway.report(last=True)
    stage.collector.gone("one", stage.instant)
    assert stage.use().unknown
    other = FakeGateway("two", stage)
    other.report()
    assert stage.use().quiet_since == START


def test_a_gateway_that_was_killed_took_counts_along() -> None:
    stage, gateway = running()
    gateway.invoke()
    stage.collector.gone("one", stage.instant)
    other = FakeGateway("two", stage)
    other.report()
    assert "yet to report" in stage.use().why_not
    stage.run(12, other)
    assert stage.use().quiet_since is not None
    assert stage.use().quiet_since > START + MINUTE * 5


def test_a_gateway_that_was_killed_before_it_reported_took_counts_along() -> None:
    stage, gateway = running()
    gateway.report(last=True)
    stage.collector.gone("one", stage.instant)
    stage.collector.joined("two", "two", stage.instant)
    assert stage.use().unknown
    stage.collector.gone("two", stage.instant)
    other = FakeGateway("three", stage)
    stage.run(12, other)
    assert stage.use().quiet_since is not None
    assert stage.use().quiet_since > START + MINUTE * 5


def test_a_minute_whose_counts_a_gateway_may_still_have_gets_no_zero() -> None:
    stage, gateway = running()
    stage.run(55, gateway)
    gateway.invoke()
    stage.collector.gone("one", stage.instant)
    other = FakeGateway("two", stage)
    stage.run(130, other)
    known = [point.at for point in stage.points()]
    assert known == [START + MINUTE * number for number in (0, 1, 2, 3, 4, 7)]


def test_a_link_that_breaks_and_comes_back_loses_nothing() -> None:
    stage, gateway = running()
    stage.collector.gone("one", stage.instant)
    assert stage.use().unknown
    stage.pass_(3)
    gateway.report()
    assert stage.use().quiet_since == START


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_was_set_begins_knowledge_anew(hours: int) -> None:
    stage, gateway = running()
    gateway.invoke()
    gateway.report()
    stage.jump(hours * 3600)
    set_at = stage.now
    assert stage.use().quiet_since == set_at
    stage.run(30, gateway)
    assert stage.use().quiet_since == set_at


def test_whoever_hears_first_of_a_clock_that_was_set_back_all_of_it_begins_anew() -> None:
    stage, gateway = running()
    gateway.invoke()
    gateway.report()
    stage.jump(-3600)
    set_at = stage.now
    gateway.report()
    assert stage.use().quiet_since == set_at


def test_time_that_runs_fast_is_no_jump() -> None:
    stage, _ = running(scale=60.0)
    assert stage.use().quiet_since == START


def test_after_a_restart_the_stored_minutes_count_and_the_gap_does_if_the_gateway_kept_it() -> None:
    stage, gateway = running()
    stage.pass_(400)
    stage.begin()
    assert stage.use().unknown
    gateway.anew = True
    gateway.report()
    assert "not been read" in stage.use().why_not
    stage.read()
    assert stage.use().quiet_since == START
    stage.beat()
    points = stage.points()
    assert [point.at for point in points] == [START + MINUTE * each for each in range(11)]
    assert {point.value.total for point in points} == {0}


def test_a_host_that_takes_long_to_start_makes_no_gateway_late() -> None:
    """A gateway is told nothing, and reports nothing, before the host knows what runs."""
    stage, gateway = running()
    stage.pass_(20)
    stage.begin(60)
    gateway.anew = True
    gateway.report()
    stage.read()
    assert stage.use().quiet_since == START


def test_use_during_the_gap_is_use() -> None:
    stage, gateway = running()
    stage.pass_(100)
    gateway.invoke(4)
    stage.pass_(300)
    stage.begin()
    gateway.anew = True
    gateway.report()
    stage.read()
    assert stage.use().quiet_since == stage.now
    stage.beat()
    points = stage.points()
    assert sum(point.value.total for point in points) == 4
    # Nobody knows in which of the minutes of the gap it was.
    assert len(points) == 6


def test_a_stored_use_is_use_after_a_restart_whoever_served_it() -> None:
    stage, gateway = running()
    gateway.invoke()
    gateway.report(last=True)
    stage.collector.gone("one", stage.instant)
    other = FakeGateway("two", stage)
    other.report()
    stage.run(190, other)
    stage.begin()
    other.anew = True
    other.report()
    stage.read()
    assert stage.use().quiet_since == stage.use().used_at == START + MINUTE * 6


def test_what_takes_the_place_of_others_has_the_last_of_their_uses() -> None:
    stage, gateway = running(subject(name="blue"), subject(name="green"))
    gateway.invoke(name="blue")
    stage.run(20, gateway)
    used_at = stage.use().used_at
    stage.subjects.subjects = [subject(name="red")]
    stage.run(20, gateway)
    assert stage.use().quiet_since == stage.use().used_at == used_at


def test_use_that_a_killed_control_had_taken_and_not_stored_is_not_taken_for_silence() -> None:
    stage, gateway = running()
    gateway.invoke()
    gateway.report()
    used_at = stage.now
    stage.pass_(100)
    stage.begin()
    gateway.anew = True
    gateway.report()
    stage.read()
    assert stage.use().quiet_since == used_at


def test_a_gateway_that_is_new_after_a_restart_knows_nothing_of_the_gap() -> None:
    stage, _ = running()
    stage.pass_(30)
    stage.begin()
    stage.read()
    other = FakeGateway("two", stage)
    other.report()
    stage.run(11, other)
    assert stage.use().quiet_since is not None
    assert stage.use().quiet_since > START + MINUTE * 5


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_a_clock_that_was_set_while_control_was_away_begins_knowledge_anew(seconds: int) -> None:
    stage, gateway = running()
    stage.pass_(10)
    stage.jump(seconds)
    stage.begin()
    begun = stage.now
    gateway.anew = True
    gateway.report()
    stage.read()
    assert stage.use().quiet_since == begun


def test_a_minute_that_is_missing_was_not_known() -> None:
    stage, gateway = running()
    series = stage.subjects.subjects[0].series("Invocations")
    del stage.store._points[60][series][START + MINUTE * 2]
    stage.begin()
    gateway.anew = True
    gateway.report()
    stage.read()
    assert stage.use().quiet_since == START + MINUTE * 3


def test_what_is_damaged_is_unknown_and_harms_no_other() -> None:
    stage, gateway = running(subject(), subject("f"))
    stage.store.damage(stage.subjects.subjects[0].series("Invocations"), START + MINUTE)
    stage.begin()
    gateway.anew = True
    gateway.report()
    stage.read()
    assert "torn" in stage.use().why_not
    assert stage.use("f").quiet_since == START


def test_a_store_that_takes_nothing_makes_all_unknown() -> None:
    stage, _ = running()
    stage.trouble = "the disk is full"
    assert "the disk is full" in stage.use().why_not
    assert stage.use().unknown


def test_while_hosting_starts_nothing_is_known() -> None:
    stage, _ = running()

    def starting() -> None:
        raise Unavailable("the host has not started yet")

    stage.subjects.all = starting  # type: ignore[assignment]
    assert "not started" in stage.use().why_not


def test_what_has_just_come_to_be_is_quiet_from_then_on() -> None:
    stage, gateway = running()
    stage.subjects.subjects.append(subject("young"))
    stage.run(61, gateway)
    assert stage.use("young").quiet_since == START + timedelta(seconds=301)
    stage.subjects.subjects.pop()
    stage.run(60, gateway)
    stage.subjects.subjects.append(subject("young"))
    stage.run(1, gateway)
    assert stage.use("young").quiet_since == stage.now


def test_an_update_to_other_variants_does_not_begin_idle_time_anew() -> None:
    stage, gateway = running()
    gateway.invoke()
    stage.run(120, gateway)
    stage.subjects.subjects[:] = [subject(name="w"), subject(name="x")]
    stage.run(60, gateway)
    used = START + timedelta(seconds=301)
    assert {each.quiet_since for each in stage.use().readings} == {used}
    assert stage.use().used_at == used
    assert len(stage.use().readings) == 2


def test_what_was_updated_away_and_still_answers_is_use() -> None:
    stage, gateway = running()
    gateway.counts["e", "v"] = link.Usage(in_flight=1)
    stage.run(1, gateway)
    stage.subjects.subjects[:] = [subject(name="w")]
    stage.run(60, gateway)
    assert stage.use().in_flight == 1
    assert stage.use().quiet_since is None
    gateway.counts["e", "v"] = link.Usage(invocations=1, in_flight=0)
    stage.run(1, gateway)
    assert (stage.use().in_flight, stage.use().quiet_since) == (0, stage.now)


def test_use_that_is_told_before_hosting_has_started_is_use() -> None:
    stage, gateway = running()
    stage.begin()
    there, stage.subjects.subjects = stage.subjects.subjects, []
    gateway.invoke()
    gateway.report()
    told = stage.now
    stage.subjects.subjects = there
    stage.read()
    stage.run(5, gateway)
    assert stage.use().used_at == told


_STEPS = st.sampled_from(
    ["use", "pass", "long", "restart", "kill", "leave", "break", "jump", "back"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_STEPS, max_size=25), st.sampled_from([1.0, 60.0]))
def test_nothing_is_quiet_since_before_its_last_use_or_the_last_hole(  # noqa: C901  one story
    steps: list[str], scale: float
) -> None:
    stage = Stage(scale=scale)
    stage.read()
    numbers = iter(range(1000))
    gateway = FakeGateway(f"g{next(numbers)}", stage)
    gateway.report()
    #: No instant before this one may be called quiet.
    floor = stage.now
    for step in steps:
        match step:
            case "use":
                gateway.invoke()
                floor = stage.now
            case "pass":
                stage.run(7 / scale, gateway, step=1 / scale)
            case "long":
                stage.run(130 / scale, gateway, step=5 / scale)
            case "restart":
                # Whatever was counted since the last flush is lost.
                if gateway.counts:
                    gateway.report()
                stage.pass_(90 / scale)
                stage.begin()
                stage.read()
                gateway.anew = True
            case "kill":
                stage.collector.gone(gateway.id, stage.instant)
                gateway = FakeGateway(f"g{next(numbers)}", stage)
                floor = stage.now
            case "leave":
                gateway.report(last=True)
                stage.collector.gone(gateway.id, stage.instant)
                gateway = FakeGateway(f"g{next(numbers)}", stage)
            case "break":
                stage.collector.gone(gateway.id, stage.instant)
                stage.pass_(4 / scale)
            case "jump" | "back":
                gateway.report()
                stage.jump(7200 if step == "jump" else -7200)
                floor = stage.now
                # What the monitor finds is written down within a second.
                stage.beat()
        gateway.report()
        quiet_since = stage.use().quiet_since
        assert quiet_since is None or quiet_since >= floor, step
