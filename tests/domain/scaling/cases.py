"""Targets, policies and points for the tests of scaling."""

from datetime import timedelta

from parkade.domain.evaluation import Datum
from parkade.domain.scaling.deciding import decide
from parkade.domain.scaling.policy import Policy, Predefined, Tracking
from parkade.domain.scaling.steps import Adjustment, Step, Steps
from parkade.domain.scaling.target import Resource, ScalableTarget
from parkade.domain.scaling.tracking import Seen
from parkade.domain.scaling.tracking import decide as track
from tests.builders import NOW, minutes

RESOURCE = Resource("falcon", "main")
LONG_AGO = NOW - timedelta(days=1)


def a_target(least=1, most=4, resource=RESOURCE, **changes):
    return ScalableTarget(resource=resource, least=least, most=most, created_at=NOW, **changes)


def a_tracking(target=600.0, **changes):
    return Tracking(target=target, **{"metric": Predefined.INVOCATIONS_PER_INSTANCE, **changes})


def a_policy(name="keep", *, tracking=None, steps=None, resource=RESOURCE, **changes):
    if tracking is None and steps is None:
        tracking = a_tracking(**changes)
    return Policy(
        name=name, resource=resource, created_at=NOW, id="1f", tracking=tracking, steps=steps
    )


def some_steps(*steps, adjustment=Adjustment.CHANGE, **changes):
    """Steps as (adjustment, lower, upper)."""
    return Steps(
        adjustment=adjustment,
        steps=tuple(Step(adjustment=n, lower=lower, upper=upper) for n, lower, upper in steps),
        **changes,
    )


def points(*values, period=60, until=NOW):
    """The newest periods, which are over, the oldest first; None: it has no point."""
    span = timedelta(seconds=period)
    return [
        Datum(until - span * back, value)
        for back, value in zip(range(len(values), 0, -1), values, strict=True)
    ]


def seen(*values, capacity=1, **changes):
    defaults = {"period": 60, "changed_at": LONG_AGO, "low_since": LONG_AGO}
    return Seen(data=points(*values), capacity=capacity, **{**defaults, **changes})


def vote(policy, of, now=NOW):
    return track(policy, policy.tracking, of, now)


def decided(target, of, *policies, now=NOW):
    """What becomes of a capacity that several policies see alike."""
    return decide(target, of.capacity, [vote(policy, of, now) for policy in policies], now)


__all__ = ["LONG_AGO", "NOW", "RESOURCE", "minutes"]
