"""Target tracking, one policy: what its points ask for.

Two rules look at the points, and the policy's two alarms in the monitor have the same ones:

    out   OUT_POINTS of OUT_POINTS above the target
    in    all of IN_SPAN below IN_SHARE of the target, and the point before: the load may have
          fallen within it

What is missing does not breach: a point that is not known makes nothing smaller. How many are
wanted is told by points that were measured at the present capacity alone, those that begin after
it was last changed: the newest one to scale out, the highest one to scale in. So a change is never
made twice for the same load, and what is scaled in to can carry all that was seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from parkade.domain.alarm import OWN, Alarm, Comparison, Missing, Rule, State, first_standing
from parkade.domain.evaluation import EXTRA, Datum, verdict
from parkade.domain.scaling.policy import CustomMetric, alarm_name
from parkade.domain.scaling.votes import Direction, Vote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.scaling.policy import Policy, Tracking

#: Points in a row above the target that scale out. Seen of Application Auto Scaling for other
#: services; for SageMaker's it is not documented.
OUT_POINTS = 3
#: For how long all points have to be low for it to scale in; the same is true of it.
IN_SPAN = timedelta(minutes=15)
#: The share of the target that counts as low: seen of the same service.
IN_SHARE = 0.9
#: By how much, as a share, sums of fractions are wrong at most: 3 thirds are 1.
_EXACTNESS = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What there is to decide on: the periods that are over, the oldest first."""

    data: Sequence[Datum]
    #: Seconds of a period.
    period: int
    #: How many there are to be.
    capacity: int
    #: Since when there are so many; what was measured before was measured of others.
    changed_at: datetime
    #: Since when what is low counts: since it serves, became more, and is counted without a gap.
    low_since: datetime | None = None
    #: Until when the last scale-out of this policy, or the last scale-in, is waited for.
    out_until: datetime | None = None
    in_until: datetime | None = None


def out_rule(tracking: Tracking) -> Rule:
    """Return when there is too much for those that there are."""
    return Rule(
        comparison=Comparison.ABOVE,
        threshold=tracking.target,
        periods=OUT_POINTS,
        datapoints=OUT_POINTS,
        missing=Missing.NOT_BREACHING,
    )


def in_rule(tracking: Tracking, period: int) -> Rule:
    """Return when there is little enough for fewer."""
    periods = max(1, math.ceil(IN_SPAN.total_seconds() / period))
    return Rule(
        comparison=Comparison.BELOW,
        threshold=tracking.target * IN_SHARE,
        periods=periods,
        datapoints=periods,
        missing=Missing.NOT_BREACHING,
    )


def looked_at(tracking: Tracking, period: int) -> int:
    """Return how many periods are to be seen for a decision."""
    return max(OUT_POINTS, in_rule(tracking, period).periods + 1) + EXTRA


def alarms(policy: Policy, arn: str, endpoint_name: str, now: datetime) -> tuple[Alarm, ...]:
    """Return the alarms of a policy, which show what the decision goes by."""
    tracking = policy.tracking
    if tracking is None:
        return ()
    period = tracking.period(policy.resource)
    rules = {
        alarm_name(policy, "High"): out_rule(tracking),
        alarm_name(policy, "Low"): in_rule(tracking, period),
    }
    return tuple(
        Alarm(
            name=name,
            rule=rules[name],
            queries=tracking.queries(policy.resource),
            standing=first_standing(now),
            configured_at=now,
            description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {arn}.",
            alarm_actions=(arn,),
            plain=not isinstance(tracking.metric, CustomMetric) or tracking.metric.plain,
            owner=OWN,
            endpoint_name=endpoint_name,
        )
        for name in policy.alarm_names
    )


def decide(policy: Policy, tracking: Tracking, seen: Seen, now: datetime) -> Vote:
    """Return what one policy asks for. Bounds, and what is suspended, are not its concern."""
    known = [each for each in seen.data if each.value is not None]
    if not known:
        return _stays(policy, "there is no point of its metric", counts=tracking.scale_in)
    recent = seen.data[-(OUT_POINTS + EXTRA) :]
    fresh = [each for each in known if each.at >= seen.changed_at]
    if seen.capacity == 0:
        return _stays(policy, "target tracking cannot leave 0: use decides", counts=False)
    if _holds(out_rule(tracking), seen.data):
        return _out(
            policy, tracking, seen, [each for each in fresh if each.at >= recent[0].at], now
        )
    if not tracking.scale_in:
        return _floor(policy, tracking, seen, fresh)
    return _in(policy, tracking, seen, fresh, now)


def needed(tracking: Tracking, capacity: int, value: float) -> int:
    """Return how many carry what so many have measured, each at the target."""
    exact = capacity * max(0.0, value) / tracking.target
    whole = round(exact)
    if abs(exact - whole) <= _EXACTNESS * max(1.0, exact):
        return whole
    return math.ceil(exact)


def _out(
    policy: Policy, tracking: Tracking, seen: Seen, fresh: Sequence[Datum], now: datetime
) -> Vote:
    above = f"its metric was above {tracking.target:g} for {OUT_POINTS} points"
    if not fresh:
        at = seen.changed_at + timedelta(seconds=2 * seen.period)
        return _stays(policy, f"{above}, none of them since the last change", at, counts=True)
    value = fresh[-1].value or 0.0
    wanted = max(seen.capacity, needed(tracking, seen.capacity, value))
    if wanted > seen.capacity and seen.out_until is not None and now < seen.out_until:
        why = f"{above}; the last scale-out is waited for until {_clock(seen.out_until)}"
        return _stays(policy, why, seen.out_until, counts=True)
    if wanted == seen.capacity:
        return _stays(policy, f"{above}, yet is carried at {value:g}", counts=True)
    return Vote(
        policy_name=policy.name,
        direction=Direction.OUT,
        wanted=wanted,
        reason=f"{above}, at last {value:g}: {seen.capacity} become {wanted}",
        alarm_name=alarm_name(policy, "High"),
    )


def _in(
    policy: Policy, tracking: Tracking, seen: Seen, fresh: Sequence[Datum], now: datetime
) -> Vote:
    rule = in_rule(tracking, seen.period)
    low_data = [each for each in seen.data if not seen.low_since or each.at >= seen.low_since]
    newest = next((each for each in reversed(seen.data) if each.value is not None), None)
    told = f"its metric was {newest.value:g} at last" if newest else "its metric is not known"
    if not (_holds(rule, low_data) and _holds(rule, _before_newest(low_data))):
        low = _low(rule, low_data)
        if not low:
            return _stays(policy, f"{told}, which is no reason to change", counts=True)
        at = low[0].at + IN_SPAN + timedelta(seconds=seen.period)
        why = (
            f"{told}, below {rule.threshold:g} for {_points(len(low))}; it takes {rule.periods}, "
            "and the one before"
        )
        return _stays(policy, why, max(at, now), counts=True)
    fresh = [each for each in fresh if not seen.low_since or each.at >= seen.low_since]
    if not fresh:
        at = seen.changed_at + timedelta(seconds=2 * seen.period)
        return _stays(policy, "no point was measured since the last change", at, counts=True)
    highest = max(each.value or 0.0 for each in fresh)
    wanted = min(seen.capacity, needed(tracking, seen.capacity, highest))
    below = f"its metric was below {rule.threshold:g} for {rule.periods} points"
    if wanted == seen.capacity:
        why = f"{below}, at most {highest:g}, which takes {seen.capacity}"
        return _stays(policy, why, counts=True)
    if seen.in_until is not None and now < seen.in_until:
        why = f"{below}; the last scale-in is waited for until {_clock(seen.in_until)}"
        return _stays(policy, why, seen.in_until, counts=True)
    return Vote(
        policy_name=policy.name,
        direction=Direction.IN,
        wanted=wanted,
        reason=f"{below}, at most {highest:g}: {seen.capacity} become {wanted}",
        alarm_name=alarm_name(policy, "Low"),
    )


def _holds(rule: Rule, data: Sequence[Datum]) -> bool:
    """Tell whether a rule's newest periods breach it; an older point is nothing to act on."""
    return verdict(rule, data[-(rule.periods + EXTRA) :]).state is State.ALARM


def _before_newest(data: Sequence[Datum]) -> Sequence[Datum]:
    """Return what there was to see one known point ago."""
    known = [place for place, each in enumerate(data) if each.value is not None]
    return data[: known[-1]] if known else ()


def _low(rule: Rule, data: Sequence[Datum]) -> list[Datum]:
    """Return the newest points that are low, without a hole; the oldest first."""
    found: list[Datum] = []
    for each in reversed(data):
        if each.value is None or not rule.comparison.holds(each.value, rule.threshold):
            break
        found.append(each)
    return found[::-1]


def _points(count: int) -> str:
    return f"{count} point{'' if count == 1 else 's'}"


def _floor(policy: Policy, tracking: Tracking, seen: Seen, fresh: Sequence[Datum]) -> Vote:
    """Return that it does not scale in; yet what others scale in to has to carry its load."""
    least = max((needed(tracking, seen.capacity, each.value or 0.0) for each in fresh), default=0)
    return Vote(
        policy_name=policy.name,
        direction=Direction.NONE,
        wanted=min(seen.capacity, least),
        reason="it does not scale in (DisableScaleIn)",
    )


def _stays(policy: Policy, reason: str, next_at: datetime | None = None, *, counts: bool) -> Vote:
    """Return that it asks for no change; `counts`: and for no fewer."""
    return Vote(
        policy_name=policy.name,
        direction=Direction.STAY if counts else Direction.NONE,
        wanted=0,
        reason=reason,
        next_at=next_at,
    )


def _clock(instant: datetime) -> str:
    return f"{instant:%H:%M:%S}"
