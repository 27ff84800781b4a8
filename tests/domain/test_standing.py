"""How an endpoint stands, in the words that callers get."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import BudgetExceeded, Unreadable
from parkade.domain.lease import EndReason
from parkade.domain.standing import START_ESTIMATE, State, standing
from parkade.domain.terms import Sleep, Terms, Wake
from tests.builders import NOW, a_lease, an_endpoint, minutes, seconds
from tests.domain import strategies

VALID = a_lease()
SOME_WAKE = Wake(minutes=minutes(15), at_most=minutes(20))
REFUSED = replace(VALID, refused_at=NOW, failure="no room")


def ended(reason, **changes):
    return a_lease(expires_at=NOW, ended=reason, ended_at=NOW, **changes)


@pytest.mark.parametrize(
    ("lease", "seen", "state", "reason"),
    [
        (VALID, None, State.STARTING, "starting"),
        (REFUSED, None, State.FAILED, "failed: no room"),
        (VALID, an_endpoint(), State.RUNNING, "running"),
        (VALID, an_endpoint(healthy=0), State.STARTING, "starting"),
        (VALID, an_endpoint("Creating"), State.STARTING, "starting"),
        (VALID, an_endpoint("Updating", healthy=1), State.RUNNING, "running"),
        (VALID, an_endpoint("Deleting"), State.STARTING, "starting"),
        # It hosts components: nothing is wanted of itself.
        (
            VALID,
            an_endpoint("Updating", wanted=0, healthy=0, changing=True),
            State.RUNNING,
            "running",
        ),
        (
            VALID,
            an_endpoint("SystemUpdating", wanted=0, healthy=0, changing=True),
            State.STARTING,
            "starting",
        ),
        (
            VALID,
            an_endpoint("Failed", failure_reason="bad archive"),
            State.FAILED,
            "failed: bad archive",
        ),
        (VALID, an_endpoint("Failed"), State.FAILED, "failed: no reason given"),
        (
            VALID,
            an_endpoint("OutOfService"),
            State.FAILED,
            "failed: OutOfService, which only a person can mend",
        ),
        (a_lease(expires_at=NOW), an_endpoint(), State.EXPIRED, "expired"),
        (ended(EndReason.EXPIRED), None, State.EXPIRED, "expired"),
        (ended(EndReason.STOPPED), an_endpoint(), State.STOPPED, "stopped"),
        (ended(EndReason.IDLE), None, State.IDLE, "idle"),
        (ended(EndReason.BUDGET), None, State.BUDGET, "budget"),
        (ended(EndReason.FAILED, failure="no room"), None, State.FAILED, "failed: no room"),
        (None, an_endpoint(), State.RUNNING, "running"),
        (None, an_endpoint("Deleting"), State.STOPPING, "stopping"),
    ],
)
def test_state_and_reason(lease, seen, state, reason):
    told = standing(lease, seen, NOW)
    assert (told.state, told.reason) == (state, reason)


def test_nothing_is_known_of_what_is_not_there():
    assert standing(None, None, NOW) is None


def test_one_that_is_over_says_how_to_start_it():
    hint = standing(ended(EndReason.STOPPED), None, NOW).hint
    assert "parkade start falcon" in hint
    assert '{"EndpointName": "falcon", "minutes": 30}' in hint


@given(strategies.worlds())
def test_whatever_is_not_running_says_when_to_ask_again(world):
    leases = {lease.endpoint_name: lease for lease in world["leases"]}
    for name in strategies.NAMES:
        lease, seen = leases.get(name), world["endpoints"].get(name)
        told = standing(lease, seen, world["now"])
        if told is None:
            assert lease is None
            assert seen is None
        elif told.state is State.RUNNING:
            assert told.retry_after == timedelta(0)
            assert seen.status not in {EndpointStatus.FAILED, EndpointStatus.DELETING}
            assert lease is None or not lease.over(world["now"])
        else:
            assert told.reason
            assert timedelta(0) < told.retry_after <= minutes(1)


def test_an_endpoint_that_is_starting_says_when_it_is_expected():
    creating = an_endpoint("Creating", created_at=NOW - seconds(10))

    def measured(config_name):
        return {"falcon-config": seconds(40)}.get(config_name)

    told = standing(VALID, creating, NOW, expected=measured)
    assert (told.retry_after, told.expected_at) == (seconds(30), NOW + seconds(30))
    assert told.hint == "it is being started, and expected by 12:00:30 UTC; ask again then"
    waiting = standing(VALID, None, NOW, expected=measured)
    assert (waiting.retry_after, waiting.expected_at) == (seconds(40), NOW + seconds(40))


def test_the_hint_names_no_earlier_second_than_the_instant():
    told = standing(VALID, None, NOW, expected=lambda _: timedelta(seconds=40, microseconds=1))
    assert told.hint == "it is being started, and expected by 12:00:41 UTC; ask again then"


def test_a_wake_that_is_not_paid_for_is_none_and_its_reason_is_not_for_callers():
    terms = Terms(endpoint_name="falcon", sleep=Sleep(after=None, hold=seconds(9)), wake=SOME_WAKE)
    lease = ended(EndReason.EXPIRED)
    assert standing(lease, None, NOW, terms=terms).wakes
    for refused, reason in ((BudgetExceeded("1 USD", until=NOW), "over budget"),
                            (Unreadable("the budget of ann is damaged"), "expired")):  # fmt: skip
        told = standing(lease, None, NOW, terms=terms, refusal=lambda *_, why=refused: why)
        assert (told.state, told.reason, told.wakes) == (State.EXPIRED, reason, False)
        assert told.hold == timedelta(0)
        assert "parkade wake falcon" in told.hint
        assert refused.message not in told.hint


def test_whether_a_wake_is_paid_for_is_asked_where_a_request_would_buy_time_alone():
    def asked(*_):
        raise AssertionError("nothing is to be bought")

    asleep = replace(VALID, asleep_at=NOW)
    terms = Terms(endpoint_name="falcon", wake=SOME_WAKE)
    for lease in (VALID, asleep, ended(EndReason.STOPPED)):
        assert standing(lease, None, NOW, terms=terms, refusal=asked) is not None


@pytest.mark.parametrize("span", [None, seconds(10), seconds(5)])
def test_what_was_never_measured_or_takes_longer_is_asked_again_soon(span):
    creating = an_endpoint("Creating", created_at=NOW - seconds(10))
    told = standing(VALID, creating, NOW, expected=lambda _: span)
    assert (told.retry_after, told.expected_at) == (START_ESTIMATE, None)
    assert told.hint == "it is being started; ask again"
