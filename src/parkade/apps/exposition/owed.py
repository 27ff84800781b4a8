"""What runs costs, what is left of budgets, and the alarms of projects, as families of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from prometheus_client import Metric

    from parkade.domain.budget import Standing
    from parkade.domain.price import Sum


def prices(hourly: Mapping[str, Sum]) -> Iterator[Metric]:
    """Give what an hour of each endpoint costs; what has no price is left out."""
    family = GaugeMetricFamily(
        "parkade_price_usd_per_hour",
        "What the instances that run cost an hour; what is unpriced is left out.",
        labels=("endpoint",),
    )
    for name, each in sorted(hourly.items()):
        if not each.unpriced:
            family.add_metric((name,), float(each.usd))
    yield family


def budgets(standings: Sequence[Standing]) -> Iterator[Metric]:
    """Give how each budget stands in its period."""
    limit, spent, left = (
        GaugeMetricFamily(f"parkade_budget_{name}", documentation, labels=("owner",))
        for name, documentation in (
            ("usd", "What an owner may spend in a period."),
            ("spent_usd", "What of it is spent."),
            ("left_usd", "What can still be granted; negative where it is passed."),
        )
    )
    for each in standings:
        key = (each.budget.owner,)
        limit.add_metric(key, float(each.budget.usd))
        spent.add_metric(key, float(each.spent))
        left.add_metric(key, float(each.left))
    yield from (limit, spent, left)


def alarms(firing: Mapping[tuple[str, str], bool]) -> Iterator[Metric]:
    """Give whether each alarm of a project is in ALARM, by project and alarm."""
    family = GaugeMetricFamily(
        "parkade_alarm_firing",
        "1 while an alarm of a project is in ALARM, else 0.",
        labels=("project", "alarm"),
    )
    for key, each in sorted(firing.items()):
        family.add_metric(key, int(each))
    yield family
