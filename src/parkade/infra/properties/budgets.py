"""The budget of a project as AWS Budgets has it: a second pair of eyes on what AWS charges.

Parkade reserves money before it grants time, and holds to its own budget. AWS tells what was charged,
some hours later, by the tag of the project; the tag has to be activated for cost allocation once.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from parkade.domain.project.project import PROJECT_TAG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.apps.projectfile.limits import BudgetSetting

#: Weeks of a month: AWS Budgets has no weeks.
_WEEKS = 365.25 / 12 / 7
#: Addresses that one notification can have.
_ADDRESSES = 10
#: Percent of the budget at which somebody is told.
_NEARLY, _WHOLE = 80, 100


def properties(prefix: str, budget: BudgetSetting, addresses: Sequence[str]) -> dict[str, Any]:
    """Return the properties of AWS::Budgets::Budget."""
    daily = budget.per == "day"
    amount = budget.amount * (_WEEKS if budget.per == "week" else 1)
    told = _notifications(addresses, daily=daily)
    return {
        "Budget": {
            "BudgetName": f"{prefix}-budget-{_digest(told)}",
            "BudgetType": "COST",
            "TimeUnit": "DAILY" if daily else "MONTHLY",
            "BudgetLimit": {"Amount": round(amount, 2), "Unit": "USD"},
            "CostFilters": {"TagKeyValue": [f"user:{PROJECT_TAG}${prefix}"]},
        },
        "NotificationsWithSubscribers": told,
    }


def _notifications(addresses: Sequence[str], *, daily: bool) -> list[dict[str, Any]]:
    return [
        {
            "Notification": {
                "NotificationType": kind,
                "ComparisonOperator": "GREATER_THAN",
                "Threshold": threshold,
                "ThresholdType": "PERCENTAGE",
            },
            "Subscribers": [
                {"SubscriptionType": "EMAIL", "Address": each} for each in addresses[:_ADDRESSES]
            ],
        }
        for kind, threshold in _told(daily=daily)
        if addresses
    ]


def _digest(told: Sequence[dict[str, Any]]) -> str:
    """Return what the name of a budget ends in: CloudFormation makes another one to tell others.

    The former one goes afterwards, so that both are there for a moment, and cannot be called alike.
    """
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]


def _told(*, daily: bool) -> Sequence[tuple[str, int]]:
    told = [("ACTUAL", _NEARLY), ("ACTUAL", _WHOLE)]
    # AWS forecasts no days.
    return told if daily else [*told, ("FORECASTED", _WHOLE)]
