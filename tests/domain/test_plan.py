"""The plan: each status under each lease, and what holds whatever the world looks like."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.actions import ActionKind, NoticeKind
from parkade.domain.endpoint import TRANSIENT, EndpointStatus
from parkade.domain.lease import EndReason
from parkade.domain.plan import plan
from parkade.domain.spans import duration
from tests.builders import NOW, a_lease, a_rollout, an_endpoint, minutes, seconds, some_rules
from tests.domain import strategies

RULES = some_rules()
VALID = a_lease(expires_at=NOW + minutes(30))
OVER = a_lease(expires_at=NOW - seconds(0.2))
ENDED = a_lease(expires_at=NOW - minutes(1), ended=EndReason.STOPPED, ended_at=NOW - minutes(1))
REFUSED = replace(VALID, refused_at=NOW - seconds(30), failure="no room")
REFUSED_LONG_AGO = replace(VALID, refused_at=NOW - minutes(1), failure="no room")
EXHAUSTED = replace(REFUSED_LONG_AGO, retries=5)
WAITING = {*TRANSIENT}
HANDLED = {ActionKind.START, ActionKind.STOP, ActionKind.RECREATE}


def decided(lease, status=None, *, now=NOW, rules=RULES, **endpoint):
    """The one decision on this lease, warnings aside."""
    seen = {} if status is None else {"falcon": an_endpoint(status, **endpoint)}
    first, *rest = plan(now, [lease], seen, rules).actions
    assert all(action.notice is NoticeKind.EXPIRY for action in rest)
    return first


ABSENT = [
    (VALID, ActionKind.START, None, False),
    (OVER, ActionKind.STOP, EndReason.EXPIRED, False),
    (ENDED, ActionKind.NOTHING, None, False),
    (REFUSED, ActionKind.NOTHING, None, False),
    (REFUSED_LONG_AGO, ActionKind.START, None, False),
    (EXHAUSTED, ActionKind.STOP, EndReason.FAILED, False),
]


@pytest.mark.parametrize(("lease", "kind", "ends", "deletes"), ABSENT)
def test_without_an_endpoint(lease, kind, ends, deletes):
    action = decided(lease)
    assert (action.kind, action.ends, action.deletes) == (kind, ends, deletes)
    assert action.reason


@pytest.mark.parametrize("status", list(EndpointStatus))
@pytest.mark.parametrize(
    "lease", [VALID, REFUSED, EXHAUSTED], ids=["valid", "refused", "exhausted"]
)
def test_an_endpoint_that_is_paid_for(lease, status):
    action = decided(lease, status, changed_at=NOW - minutes(60), failure_reason="out of memory")
    if status is EndpointStatus.FAILED and lease.retries == 5:
        assert (action.kind, action.ends, action.deletes) == (
            ActionKind.STOP,
            EndReason.FAILED,
            True,
        )
        assert action.failure == "out of memory"
    elif status is EndpointStatus.FAILED:
        assert action.kind is ActionKind.RECREATE
        assert action.failure == "out of memory"
    elif status in {EndpointStatus.OUT_OF_SERVICE, EndpointStatus.UPDATE_ROLLBACK_FAILED}:
        assert (action.kind, action.notice) == (ActionKind.NOTIFY, NoticeKind.STUCK)
        assert status in action.reason
    else:
        assert action.kind is ActionKind.NOTHING
        assert (status in WAITING) == ("waiting" in action.reason)


@pytest.mark.parametrize("status", list(EndpointStatus))
def test_an_endpoint_whose_time_has_run_out(status):
    action = decided(OVER, status)
    assert (action.kind, action.ends) == (ActionKind.STOP, EndReason.EXPIRED)
    assert action.deletes == (status not in WAITING)
    assert action.reason == "expired 0.2 s ago"


@pytest.mark.parametrize("status", list(EndpointStatus))
def test_an_endpoint_whose_lease_is_closed(status):
    action = decided(ENDED, status)
    if status in WAITING:
        assert action.kind is ActionKind.NOTHING
        assert action.reason == f"stopped 1 min ago; waiting while it is {status}"
    else:
        assert (action.kind, action.ends, action.deletes) == (
            ActionKind.STOP,
            EndReason.STOPPED,
            True,
        )


@pytest.mark.semantics("guardrails.staged")
def test_an_update_in_stages_is_not_waited_for_when_the_time_is_over():
    """It may take hours, with two fleets to pay for."""
    lease = replace(VALID, expires_at=NOW)
    action = decided(lease, EndpointStatus.UPDATING, rollout=a_rollout())
    assert (action.kind, action.deletes) == (ActionKind.STOP, True)
    action = decided(VALID, EndpointStatus.UPDATING, rollout=a_rollout())
    assert action.kind is ActionKind.NOTHING


def test_a_lease_follows_its_endpoint_to_another_config():
    action = decided(VALID, EndpointStatus.IN_SERVICE, config_name="newer")
    assert (action.kind, action.config_name) == (ActionKind.FOLLOW, "newer")
    assert "newer instead of falcon-config" in action.reason


@pytest.mark.parametrize("status", ["Updating", "RollingBack", "Failed"])
def test_a_lease_does_not_follow_before_the_update_has_come_to_its_end(status):
    action = decided(VALID, EndpointStatus(status), config_name="newer")
    assert action.kind is not ActionKind.FOLLOW


def test_a_failed_endpoint_is_recreated_after_1_2_4_8_16_minutes_and_then_given_up():
    for retries, wait in enumerate((1, 2, 4, 8, 16)):
        lease = replace(VALID, expires_at=NOW + minutes(60), retries=retries)
        early = NOW + minutes(wait) - timedelta.resolution
        assert decided(lease, "Failed", now=early).kind is ActionKind.NOTHING
        action = decided(lease, "Failed", now=NOW + minutes(wait))
        assert action.kind is ActionKind.RECREATE
        assert f"recreation {retries + 1} of 5" in action.reason
    assert decided(replace(VALID, retries=5), "Failed").ends is EndReason.FAILED


def test_the_backoff_is_waited_for():
    waited = plan(NOW, [REFUSED], {}, RULES)
    assert waited.next_at == NOW + seconds(30)
    assert "no room; recreation 1 of 5 in 30 s" in waited.actions[0].reason


def test_the_next_look_is_at_the_next_warning_then_at_the_expiry():
    lease = replace(VALID, expires_at=NOW + minutes(30))
    for now, expected in [(0, 20), (20, 28), (28, 30), (29, 30)]:
        seen = {"falcon": an_endpoint()}
        assert plan(NOW + minutes(now), [lease], seen, RULES).next_at == NOW + minutes(expected)


def test_only_the_most_urgent_warning_is_said():
    lease = a_lease(expires_at=NOW + minutes(1))
    said = plan(NOW, [lease], {"falcon": an_endpoint()}, RULES).acts
    assert [(a.notice, a.before, a.reason) for a in said] == [
        (NoticeKind.EXPIRY, minutes(2), "1 min left")
    ]
    heard = replace(lease, warned=frozenset({minutes(2), minutes(10)}))
    assert not plan(NOW, [heard], {"falcon": an_endpoint()}, RULES).acts


def test_a_lease_that_is_given_up_is_not_warned_of():
    lease = replace(EXHAUSTED, expires_at=NOW + minutes(1))
    assert [action.kind for action in plan(NOW, [lease], {}, RULES).acts] == [ActionKind.STOP]


def test_what_runs_without_a_lease_is_told_and_left_alone():
    seen = {"cat": an_endpoint(name="cat"), "dog": an_endpoint("Deleting", name="dog")}
    (action,) = plan(NOW, [], seen, RULES).actions
    assert (action.kind, action.endpoint_name) == (ActionKind.NOTIFY, "cat")
    assert action.notice is NoticeKind.UNMETERED


def test_what_cannot_be_read_is_told_and_left_alone():
    (action,) = plan(
        NOW, [], {"falcon": an_endpoint()}, RULES, unreadable={"falcon": "bad row"}
    ).actions
    assert (action.kind, action.notice) == (ActionKind.NOTIFY, NoticeKind.UNREADABLE)
    assert "bad row" in action.reason


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (seconds(0), "0.0 s"),
        (seconds(0.2), "0.2 s"),
        (seconds(42), "42 s"),
        (seconds(59.7), "1 min"),
        (seconds(598), "9 min 58 s"),
        (minutes(60), "1 h"),
        (minutes(185), "3 h 5 min"),
        (timedelta(days=2, hours=4, minutes=3), "2 d 4 h"),
    ],
)
def test_durations_are_written_for_people(span, text):
    assert duration(span) == text


def the_plan(world, now=None):
    return plan(
        now or world["now"],
        world["leases"],
        world["endpoints"],
        world["rules"],
        unreadable=world["unreadable"],
    )


@given(strategies.worlds())
def test_invariant_4_the_plan_is_pure(world):
    assert the_plan(world) == the_plan(world)
    backwards = {**world, "leases": tuple(reversed(world["leases"]))}
    assert the_plan(backwards) == the_plan(world)


@given(strategies.worlds())
def test_every_lease_and_every_endpoint_gets_an_answer_with_a_reason(world):
    actions = the_plan(world).actions
    assert all(action.reason for action in actions)
    leased = {lease.endpoint_name for lease in world["leases"]}
    told = {action.endpoint_name for action in actions}
    gone = {n for n, seen in world["endpoints"].items() if seen.status is EndpointStatus.DELETING}
    assert told | (gone - leased) >= leased | set(world["unreadable"]) | set(world["endpoints"])


@given(strategies.worlds())
def test_invariant_1_every_lease_that_is_over_stops_what_can_be_stopped(world):
    actions = the_plan(world).actions
    for lease in world["leases"]:
        mine = [action for action in actions if action.endpoint_name == lease.endpoint_name]
        if not lease.over(world["now"]):
            continue
        assert not [a for a in mine if a.kind in {ActionKind.START, ActionKind.RECREATE}]
        seen = world["endpoints"].get(lease.endpoint_name)
        if seen is not None and seen.status not in TRANSIENT:
            assert [(a.kind, a.deletes) for a in mine] == [(ActionKind.STOP, True)]
        elif lease.ended is None:
            assert [(a.kind, a.deletes) for a in mine] == [(ActionKind.STOP, False)]


@given(strategies.worlds())
def test_invariant_2_a_valid_lease_is_stopped_only_after_its_last_recreation_failed(world):
    valid = {
        lease.endpoint_name: lease for lease in world["leases"] if not lease.over(world["now"])
    }
    for action in the_plan(world).actions:
        if action.kind is ActionKind.STOP and action.endpoint_name in valid:
            seen = world["endpoints"].get(action.endpoint_name)
            lease = valid[action.endpoint_name]
            assert action.ends is EndReason.FAILED
            assert lease.retries >= world["rules"].max_retries
            assert (seen is None and lease.refused_at) or seen.status is EndpointStatus.FAILED
        if action.kind is ActionKind.RECREATE:
            seen = world["endpoints"][action.endpoint_name]
            assert seen.status is EndpointStatus.FAILED


@given(strategies.worlds())
def test_invariant_2_only_a_readable_lease_moves_an_endpoint(world):
    leased = {lease.endpoint_name for lease in world["leases"]}
    for action in the_plan(world).actions:
        if action.endpoint_name not in leased:
            assert action.kind is ActionKind.NOTIFY
        if action.kind in HANDLED:
            assert action.lease in world["leases"]


def shape(decided_plan):
    """Acts without their wording: reasons count seconds."""
    return [
        (a.kind, a.endpoint_name, a.ends, a.deletes, a.notice, a.before) for a in decided_plan.acts
    ]


@given(strategies.worlds(), st.floats(min_value=0, max_value=1, exclude_max=True))
def test_nothing_changes_by_time_alone_before_the_next_look(world, part):
    first = the_plan(world)
    horizon = first.next_at or world["now"] + timedelta(days=30)
    assert horizon > first.now
    later = first.now + (horizon - first.now) * part
    assert shape(the_plan(world, min(later, horizon - timedelta.resolution))) == shape(first)
