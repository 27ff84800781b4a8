"""Whether the time that a request would buy is paid for: asked as the sweep will ask it."""

from dataclasses import replace

import pytest

from parkade.domain.errors import BudgetExceeded, Unreadable
from parkade.domain.lease import EndReason
from parkade.domain.terms import Terms, Wake
from parkade.services.affording import Affording
from tests.builders import NOW, a_lease, minutes, some_rules
from tests.services.world import World

TERMS = Terms(endpoint_name="falcon", wake=Wake(minutes=minutes(15), at_most=minutes(20)))
OVER = a_lease(expires_at=NOW, ended=EndReason.EXPIRED, ended_at=NOW)


class Purses:
    """What holds payments to budgets: notes what it is asked, and may refuse."""

    def __init__(self, error=None):
        self.asked = []
        self.error = error

    def __call__(self, lease, held, now):
        self.asked.append((lease, held, now))
        if self.error:
            raise self.error


def affording(purses, **rules):
    return Affording(clock=World().clock, rules=lambda: some_rules(**rules), admit=purses)


def test_it_asks_for_as_much_as_the_request_would_buy():
    purses = Purses()
    assert affording(purses).refusal(OVER, TERMS) is None
    [(lease, held, now)] = purses.asked
    assert (lease.expires_at, lease.woken) == (NOW + minutes(15), minutes(15))
    assert (held, now) == (OVER, NOW)
    # Of 20 minutes in all 12 have been bought; and no more than may be paid ahead.
    affording(purses).refusal(replace(OVER, woken=minutes(12)), TERMS)
    affording(purses, max_ahead=minutes(4)).refusal(OVER, TERMS)
    assert [lease.time_left(NOW) for lease, *_ in purses.asked[1:]] == [minutes(8), minutes(4)]


@pytest.mark.parametrize("error", [BudgetExceeded("0 USD left", until=NOW), Unreadable("torn")])
def test_whatever_keeps_it_from_being_paid_is_the_reason(error):
    assert affording(Purses(error)).refusal(OVER, TERMS) is error


@pytest.mark.parametrize(
    ("lease", "terms"),
    [
        (a_lease(), TERMS),
        (a_lease(asleep_at=NOW), TERMS),
        (replace(OVER, ended=EndReason.STOPPED), TERMS),
        (replace(OVER, woken=minutes(20)), TERMS),
        (OVER, replace(TERMS, wake=None)),
        (OVER, None),
    ],
)
def test_nothing_is_asked_where_no_request_buys_time(lease, terms):
    purses = Purses(Unreadable("torn"))
    assert affording(purses).refusal(lease, terms) is None
    assert purses.asked == []
