"""The plan of what the maintainer watches: nothing is stopped but what is known to be idle."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.actions import ActionKind, NoticeKind
from parkade.domain.circumstances import Circumstances
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.idle import IdleRules
from parkade.domain.lease import EndReason
from parkade.domain.plan import plan
from tests.builders import NOW, a_lease, a_reading, a_watch, an_endpoint, minutes, some_rules
from tests.builders import some_use as use_of
from tests.domain import strategies

LEASE = a_lease(version=1, expires_at=NOW + minutes(600), warned=frozenset(some_rules().warnings))
SEEN = an_endpoint()
IDLE_AT = NOW + minutes(20)


def around(watch=None, use=None, **others):
    return Circumstances(
        watches={"falcon": watch or a_watch()}, uses={"falcon": use or use_of()}, **others
    )


def decided(now=IDLE_AT, *, lease=LEASE, seen=SEEN, circumstances=None, **rules):
    return plan(
        now,
        (lease,) if lease else (),
        {"falcon": seen} if seen else {},
        some_rules(**rules),
        around=around() if circumstances is None else circumstances,
    )


def kinds(plan):
    return [(each.kind, each.ends or each.notice) for each in plan.actions]


STOP = (ActionKind.STOP, EndReason.IDLE)


def test_what_is_idle_is_stopped_with_its_lease_or_without():
    for lease in (LEASE, None):
        [action] = decided(lease=lease).actions
        assert (action.kind, action.ends, action.deletes) == (*STOP, True)
        assert action.lease == lease
        assert action.evidence["windows"] == 3


def test_a_notice_comes_beside_what_else_is_said():
    assert kinds(decided(NOW + minutes(15))) == [
        (ActionKind.NOTHING, None),
        (ActionKind.NOTIFY, NoticeKind.IDLE),
    ]
    assert kinds(decided(NOW + minutes(15), lease=None)) == [
        (ActionKind.NOTIFY, NoticeKind.UNMETERED),
        (ActionKind.NOTIFY, NoticeKind.IDLE),
    ]


def test_the_next_look_is_at_the_next_rung():
    assert decided(NOW + minutes(1)).next_at == NOW + minutes(15)
    told = around(a_watch(noticed_at=NOW + minutes(15)))
    assert decided(NOW + minutes(16), circumstances=told).next_at == IDLE_AT


@pytest.mark.parametrize(
    "status", [s for s in EndpointStatus if s is not EndpointStatus.IN_SERVICE]
)
def test_only_what_is_in_service_is_idle(status):
    for lease in (LEASE, None):
        assert STOP not in kinds(decided(lease=lease, seen=an_endpoint(status)))


def test_a_watch_of_an_earlier_endpoint_of_the_name_says_nothing():
    assert STOP not in kinds(decided(seen=an_endpoint(created_at=NOW + minutes(1))))


def test_what_nobody_watches_or_nothing_is_known_of_is_left_alone():
    for circumstances in (
        Circumstances(uses={"falcon": use_of()}),
        Circumstances(watches={"falcon": a_watch()}),
    ):
        assert STOP not in kinds(decided(circumstances=circumstances))


def test_what_is_idle_and_has_no_lease_is_not_given_one():
    assert kinds(decided(lease=None, adopts=True)) == [STOP]


def test_what_is_not_known_is_told_with_its_evidence():
    use = use_of(a_reading(quiet_since=None, why="no point since 11:00"))
    watch = a_watch(unknown_since=NOW)
    action = decided(circumstances=around(watch, use)).actions[-1]
    assert (action.kind, action.notice) == (ActionKind.NOTIFY, NoticeKind.UNKNOWN)
    assert action.evidence["series"][0]["why"] == "no point since 11:00"


def test_what_cannot_be_used_is_told():
    said = decided(NOW, circumstances=Circumstances(unusable={"falcon": "tag x: no"})).actions[-1]
    assert (said.notice, said.reason) == (NoticeKind.UNUSABLE, "tag x: no")


@pytest.mark.parametrize(
    ("ended", "after", "at", "kind"),
    [
        (EndReason.IDLE, minutes(60), 79, ActionKind.NOTHING),
        (EndReason.IDLE, minutes(60), 80, ActionKind.REMOVE),
        (EndReason.IDLE, None, 10_000, ActionKind.NOTHING),
        (EndReason.STOPPED, minutes(60), 10_000, ActionKind.NOTHING),
        (EndReason.EXPIRED, minutes(60), 10_000, ActionKind.NOTHING),
    ],
)
def test_a_lease_that_idleness_ended_goes_in_time_where_that_is_wished_for(ended, after, at, kind):
    lease = replace(LEASE, ended=ended, ended_at=IDLE_AT, expires_at=IDLE_AT)
    watch = a_watch(rules=IdleRules(delete_after=after))
    found = decided(NOW + minutes(at), lease=lease, seen=None, circumstances=around(watch))
    assert [action.kind for action in found.actions] == [kind]
    if at == 79:
        assert found.next_at == NOW + minutes(80)


# -- properties -----------------------------------------------------------------------------


@st.composite
def watched_worlds(draw):
    """A world in which the maintainer watches, with whatever is known of how things are used."""
    world = draw(strategies.worlds())
    watches, uses = {}, {}
    for name, seen in world["endpoints"].items():
        if draw(st.booleans()):
            use = draw(strategies.uses() | strategies.quiet_uses())
            watch = draw(strategies.watches(name=name, created_at=seen.created_at))
            known = watch.unknown_since or world["now"]
            watches[name] = replace(watch, unknown_since=known if use.unknown else None)
            if draw(st.booleans()):
                uses[name] = use
    return {**world, "around": Circumstances(watches=watches, uses=uses)}


def the_plan(world, now=None):
    return plan(
        now or world["now"],
        world["leases"],
        world["endpoints"],
        world["rules"],
        unreadable=world["unreadable"],
        around=world["around"],
    )


def idle_stops(world):
    over = {lease.endpoint_name for lease in world["leases"] if lease.over(world["now"])}
    return [
        action
        for action in the_plan(world).actions
        if action.kind is ActionKind.STOP
        and action.ends is EndReason.IDLE
        and action.endpoint_name not in over
    ]


@given(watched_worlds())
def test_only_what_was_known_and_unused_for_all_its_windows_is_stopped_for_idleness(world):
    now = world["now"]
    for action in idle_stops(world):
        name = action.endpoint_name
        watch, use = world["around"].watches[name], world["around"].uses[name]
        assert world["endpoints"][name].status is EndpointStatus.IN_SERVICE
        assert name not in world["unreadable"]
        assert use.readings
        assert (use.in_flight, use.backlog) == (0, 0)
        asked = watch.rules.window * watch.rules.stop_after
        assert all(now - each.quiet_since >= asked for each in use.readings)
        assert now - watch.in_service_at >= watch.rules.grace + asked
        assert now - watch.since >= asked


@given(watched_worlds())
def test_what_is_not_watched_is_never_stopped_for_idleness(world):
    bare = {**world, "around": Circumstances(uses=world["around"].uses)}
    assert idle_stops(bare) == []


@given(watched_worlds())
def test_invariant_4_the_plan_is_pure_with_its_circumstances(world):
    assert the_plan(world) == the_plan(world)


def shape(decided_plan):
    return [(a.kind, a.endpoint_name, a.ends, a.notice) for a in decided_plan.acts]


@given(watched_worlds(), st.floats(min_value=0, max_value=1, exclude_max=True))
def test_nothing_changes_by_time_alone_before_the_next_look(world, part):
    first = the_plan(world)
    horizon = first.next_at or world["now"] + timedelta(days=30)
    assert horizon > first.now
    later = min(first.now + (horizon - first.now) * part, horizon - timedelta.resolution)
    assert shape(the_plan(world, later)) == shape(first)
