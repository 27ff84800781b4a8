"""What settings mean to the services, whoever has read them.

That is pydantic's forms, or a function of Lambda, which has no time to make forms and reads what was
checked when it was deployed. Sections are taken by the names of their settings.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parkade.domain import price
from parkade.domain.budget import Budget, Per, WhenSpent
from parkade.domain.idle import IdleRules
from parkade.domain.lease import LeaseRules

if TYPE_CHECKING:
    from decimal import Decimal


def lease_rules(file: Any) -> LeaseRules:
    """Return the rules that leases live under, of the whole file."""
    return LeaseRules(
        max_ahead=timedelta(minutes=file.limits.max_minutes_ahead),
        initial=timedelta(minutes=file.initial_provision_minutes),
        adopts=file.unmetered == "adopt",
        keep_at_most=timedelta(minutes=file.keep.at_most_minutes),
        warnings=tuple(
            timedelta(minutes=m) for m in sorted(set(file.warnings.minutes), reverse=True)
        ),
    )


def idle_rules(maintain: Any) -> IdleRules:
    """Return the ladder of endpoints that have none of their own, of the section `maintain`."""
    hours = maintain.delete_after_hours
    return IdleRules(
        grace=timedelta(minutes=maintain.grace_minutes),
        window=timedelta(minutes=maintain.window_minutes),
        notice_after=maintain.notice_after,
        stop_after=maintain.stop_after,
        delete_after=None if hours is None else timedelta(hours=hours),
    )


def own_prices(money: Any) -> dict[str, Decimal]:
    """Return the prices that are set in the section `money`."""
    return {name: price.amount(hourly) for name, hourly in money.prices.items()}


def budget_of(money: Any, owner: str) -> Budget | None:
    """Return the budget of an owner who has none of their own, of the section `money`."""
    each = money.budget
    if each is None:
        return None
    return Budget(
        owner=owner,
        usd=price.amount(each.usd),
        per=Per(each.per),
        then=WhenSpent(each.then),
        zone=each.zone,
    )
