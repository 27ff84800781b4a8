"""What endpoints and owners cost, used and idle apart; what always-on would have cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from parkade.domain import cost, price
from parkade.domain.cost import DAY, HOUR, Costs, Stay
from parkade.ports.spend import SpendQuery, day_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from parkade.domain.cost import Presence, Tally
    from parkade.domain.lease import Lease
    from parkade.ports.clock import Clock
    from parkade.ports.spend import SpendStore

#: Endpoint and owner.
_Key: TypeAlias = tuple[str, str]
_Group = TypeVar("_Group")


class By(StrEnum):
    """What costs are added up by."""

    ENDPOINT = "endpoint"
    OWNER = "owner"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The costs of one endpoint (of one owner), owner or day; others are empty."""

    endpoint_name: str = ""
    owner: str = ""
    day: datetime | None = None
    instance_types: tuple[str, ...] = ()
    costs: Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Costs from a whole hour up to now, and all of them together."""

    since: datetime
    until: datetime
    lines: tuple[Line, ...]
    total: Costs


class CostReport:
    """Adds up what was spent. Raises what the store raises."""

    def __init__(self, store: SpendStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def bill(
        self,
        *,
        since: datetime,
        by: By = By.ENDPOINT,
        endpoint_name: str | None = None,
        owner: str | None = None,
        sees: Callable[[str], bool] = lambda _: True,
    ) -> Bill:
        """Return the costs since the hour that `since` lies in, of endpoints that `sees` admits."""
        now = self._clock.now()
        start = hour_of(min(since, now))
        query = SpendQuery(
            start=start,
            end=now + HOUR,
            endpoint_name=endpoint_name,
            owner=owner,
            by_day=by is By.DAY,
        )
        tallies = [each for each in self._store.tallies(query) if sees(each.endpoint_name)]
        stays = self._stays(tallies, replace(query, by_day=False), now)
        lines = _days(tallies, stays, now) if by is By.DAY else _shares(tallies, stays, by)
        total = Costs()
        for each in lines:
            total = total.plus(each.costs)
        return Bill(since=start, until=now, lines=tuple(lines), total=total)

    def of_lease(self, lease: Lease) -> Costs:
        """Return what an endpoint cost its owner since the hour in which its lease was made."""
        query = SpendQuery(
            start=hour_of(lease.created_at),
            end=self._clock.now() + HOUR,
            endpoint_name=lease.endpoint_name,
            owner=lease.owner,
        )
        return cost.summed(self._store.tallies(query))

    def _stays(
        self, tallies: Iterable[Tally], query: SpendQuery, now: datetime
    ) -> Mapping[_Key, Stay]:
        """Return for how long each endpoint was there, and could have been, with each owner.

        What is not metered yet is not compared either.
        """
        until = min(now, self._store.until() or now)
        costs = {key: cost.summed(of).cost for key, of in _grouped(tallies, _key).items()}
        present = {_key(each): each.span for each in self._store.presences(query)}
        ends: dict[str, datetime] = {}
        stays: dict[_Key, Stay] = {}
        # From the last owner back: one's stay ends where the next one's begins.
        for key, seen in sorted(
            self._store.first_seen().items(), key=lambda item: item[1], reverse=True
        ):
            end = ends.get(key[0], until)
            ends[key[0]] = seen
            if key in costs:
                stays[key] = Stay(
                    cost=costs[key],
                    present=present.get(key, cost.NONE),
                    start=max(seen, query.start),
                    end=end,
                )
        return stays


def _shares(tallies: Iterable[Tally], stays: Mapping[_Key, Stay], by: By) -> list[Line]:
    """Return a line for each endpoint of an owner, or for each owner."""
    alone: list[Line] = []
    for key, of in sorted(_grouped(tallies, _key).items()):
        costs = cost.summed(of)
        always_on = stays[key].without_break() if key in stays else costs.cost
        alone.append(
            Line(
                endpoint_name=key[0],
                owner=key[1],
                instance_types=_types(of),
                costs=replace(costs, always_on=always_on),
            )
        )
    if by is By.ENDPOINT:
        return alone
    owners: dict[str, Costs] = {}
    for line in alone:
        owners[line.owner] = owners.get(line.owner, Costs()).plus(line.costs)
    return [Line(owner=owner, costs=costs) for owner, costs in sorted(owners.items())]


def _days(tallies: Iterable[Tally], stays: Mapping[_Key, Stay], now: datetime) -> list[Line]:
    """Return a line for each day of UTC on which something ran, or would have, always on."""
    by_day = _grouped(tallies, lambda each: each.at)
    lines: list[Line] = []
    first = min(by_day, default=None)
    if first is not None and stays:
        first = min(first, day_of(min(stay.start for stay in stays.values())))
    day = first
    while day is not None and day <= now:
        costs = cost.summed(by_day.get(day, ()))
        always_on = price.total(stay.within(day, day + DAY) for stay in stays.values())
        lines.append(Line(day=day, costs=replace(costs, always_on=always_on)))
        day += DAY
    return lines


def hour_of(at: datetime) -> datetime:
    """Return the beginning of the hour that an instant lies in."""
    return at.replace(minute=0, second=0, microsecond=0)


def _key(each: Tally | Presence) -> _Key:
    return each.endpoint_name, each.owner


def _types(tallies: Iterable[Tally]) -> tuple[str, ...]:
    return tuple(sorted({each.instance_type for each in tallies}))


def _grouped(
    tallies: Iterable[Tally], group: Callable[[Tally], _Group]
) -> Mapping[_Group, Sequence[Tally]]:
    found: dict[_Group, list[Tally]] = {}
    for each in tallies:
        found.setdefault(group(each), []).append(each)
    return found
