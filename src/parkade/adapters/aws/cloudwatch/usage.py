"""How endpoints are used, by what CloudWatch knows of them: the usage port on AWS.

CloudWatch lags, so that a minute counts as known only when it has been over for some minutes
(SETTLED), and idleness is told to have begun as much later (BLIND): nobody is stopped for minutes
that nobody has seen. A minute without a point is not known, whatever came before and after it; a
minute with the value zero is idle. Use that is seen early counts at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.adapters.aws.cloudwatch.reading import Asked, Told, read
from parkade.domain.errors import ParkadeError
from parkade.domain.idle import Reading, Use
from parkade.domain.series import SAGEMAKER, Series
from parkade.domain.statistics import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.cloudwatch.subjects import Subject
    from parkade.ports.clock import Clock

_MINUTE = 60
_PERIOD = timedelta(seconds=_MINUTE)
#: A minute that has been over for so long is known, or missing. CloudWatch lags a minute or two.
SETTLED = timedelta(minutes=3)
#: How much later idleness is told to begin: what is known ends at most so long ago.
BLIND = SETTLED + _PERIOD
#: How far back is looked where nobody says how far it matters.
LOOK = timedelta(hours=3)
#: How far back is looked at least, so that a series that ended is seen, and at most: CloudWatch keeps
#: minutes for 15 days, and what began in the first of them is asked for from its begin.
NEAREST, FARTHEST = timedelta(minutes=30), timedelta(days=15) - _PERIOD
#: The longest that a request may be under way: a streamed response of 8 minutes. Unverified.
LONGEST_REQUEST = timedelta(minutes=8)

_BACKLOG = "ApproximateBacklogSize"
_CONCURRENT = {False: "ConcurrentRequestsPerModel", True: "ConcurrentRequestsPerCopy"}


class CloudWatchUsage:
    """The usage port. `variants` tells what hosting has of an endpoint now, or raises ParkadeError.

    `look` tells how far back the use of endpoints matters: as long as anything waits for it. It may
    raise ParkadeError; then nothing is known of their use.
    """

    def __init__(
        self,
        account: Account,
        variants: Callable[[str], Sequence[Subject]],
        clock: Clock,
        *,
        look: Callable[[Collection[str]], Mapping[str, timedelta]] = lambda _: {},
    ) -> None:
        self._account = account
        self._variants = variants
        self._clock = clock
        self._look = look

    def uses(self, endpoint_names: Iterable[str], now: datetime) -> Mapping[str, Use]:
        """Return how each of these endpoints is used, as of `now`. Never raises."""
        found: dict[str, Use] = {}
        wanted: dict[str, _Endpoint] = {}
        names = tuple(dict.fromkeys(endpoint_names))
        try:
            looks = self._look(names)
        except ParkadeError as error:
            why = f"how far back it matters is not known: {error.message}"
            return {name: _unknown(name, why) for name in names}
        for name in names:
            try:
                subjects = tuple(each for each in self._variants(name) if not each.shadow)
                start = _start(now, looks.get(name, LOOK))
            except ParkadeError as error:
                found[name] = _unknown(name, f"its variants are not known: {error.message}")
            else:
                wanted[name] = _Endpoint(name=name, subjects=subjects, start=start)
        # An instant of the services' choice is evaluated, by what there is when it is asked for.
        end = max(now, self._clock.now())
        told = read(self._account, [a for each in wanted.values() for a in each.asked()], end)
        return found | {name: each.use(told, now) for name, each in wanted.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Endpoint:
    """One endpoint that is asked about."""

    name: str
    subjects: tuple[Subject, ...]
    start: datetime

    def asked(self) -> list[Asked]:
        """Return the series that its use is told by."""
        found = [self._counted(each) for each in self.subjects]
        found += [self._under_way(each) for each in self.subjects if not each.asynchronous]
        return found + ([self._waiting()] if self._asynchronous else [])

    def use(self, told: Mapping[Asked, Told], now: datetime) -> Use:
        """Return its use, by what was told of these series."""
        waiting = told[self._waiting()] if self._asynchronous else None
        looks = [
            _Look(
                subject=each,
                counted=told[self._counted(each)],
                backlog=waiting,
                start=self.start,
                now=now,
            )
            for each in self.subjects
        ]
        return Use(
            readings=tuple(each.reading() for each in looks),
            in_flight=self._in_flight(looks, told, now),
            backlog=0 if waiting is None else _newest(waiting, now),
            used_at=max((at for each in looks if (at := each.used_at) is not None), default=None),
        )

    def _in_flight(
        self, looks: Sequence[_Look], told: Mapping[Asked, Told], now: datetime
    ) -> int | None:
        """Return how many requests may be under way.

        Where SageMaker does not tell, it is no more than those that came within the longest that
        one may take. What an asynchronous endpoint works on is part of its backlog.
        """
        whole = 0
        for each in looks:
            if each.subject.asynchronous:
                continue
            number = _newest(told[self._under_way(each.subject)], now)
            if number is None:
                number = each.came_since(now - LONGEST_REQUEST)
            if number is None:
                return None
            whole += number
        return whole

    @property
    def _asynchronous(self) -> bool:
        return any(each.asynchronous for each in self.subjects)

    def _counted(self, subject: Subject) -> Asked:
        return Asked(series=subject.use, statistic="Sum", start=self.start)

    def _under_way(self, subject: Subject) -> Asked:
        series = subject.series(_CONCURRENT[subject.component])
        return Asked(series=series, statistic="Maximum", start=self.start)

    def _waiting(self) -> Asked:
        series = Series.of(SAGEMAKER, _BACKLOG, EndpointName=self.name)
        return Asked(series=series, statistic="Maximum", start=self.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What was told of one variant or component.

    Of an asynchronous one it is the backlog that is told each minute; what it has processed is
    told when it has, and no more.
    """

    subject: Subject
    counted: Told
    backlog: Told | None
    start: datetime
    now: datetime

    @property
    def _each_minute(self) -> Told:
        return self.counted if self.backlog is None else self.backlog

    @property
    def _used(self) -> dict[datetime, float]:
        """The minutes with use, and how much."""
        found = {at: value for at, value in self.counted.values.items() if value > 0}
        for at, value in self.backlog.values.items() if self.backlog is not None else ():
            if value > 0:
                found.setdefault(at, value)
        return found

    @property
    def used_at(self) -> datetime | None:
        """When use was last seen: it may have been at the end of its minute."""
        used = self._used
        return min(max(used) + _PERIOD, self.now) if used else None

    def came_since(self, instant: datetime) -> int | None:
        """Return how many came since an instant, as far as is told; None: it is not known."""
        if self.counted.error is not None or not self.counted.values:
            return None
        return math.ceil(sum(n for at, n in self.counted.values.items() if at + _PERIOD > instant))

    def reading(self) -> Reading:
        """Return since when it is without use, or why that cannot be said."""
        told = self._each_minute
        newest = max(told.values, default=None)
        why = self.counted.why or told.why
        if why:
            return self._reading(None, newest, why)
        if newest is None:
            return self._reading(
                None, None, f"CloudWatch has no point of it since {self.start:%d %b %H:%M}"
            )
        used = self._used
        last = max(used, default=None)
        known = begin(self.now - SETTLED, _MINUTE) - _PERIOD  # the last minute that must be there
        if last is not None and last >= known:
            words = f"{used[last]:g} invocations at {last:%H:%M}"
            return self._reading(None, newest, words, used=True)
        since = known + _PERIOD
        while since > self.start and since - _PERIOD != last and since - _PERIOD in told.values:
            since -= _PERIOD
        if since > known:
            return self._reading(
                None, newest, f"CloudWatch has no point of {known:%H:%M}, which is over for long"
            )
        return self._reading(min(since + BLIND, self.now), newest)

    def _reading(
        self, quiet_since: datetime | None, newest: datetime | None, why: str = "", *,
        used: bool = False,
    ) -> Reading:  # fmt: skip
        return Reading(
            series=self.subject.use, quiet_since=quiet_since, newest=newest, why=why, used=used
        )


def _newest(told: Told, now: datetime) -> int | None:
    """Return the newest value where it is of the last minutes; None: it is not known."""
    newest = max(told.values, default=None)
    if told.error is not None or newest is None or newest + _PERIOD <= now - BLIND:
        return None
    return math.ceil(told.values[newest])


def _start(now: datetime, look: timedelta) -> datetime:
    """Return from when on to look: so far back, and as long before as nothing is known of now."""
    return begin(now - min(max(look, NEAREST) + BLIND, FARTHEST), _MINUTE)


def _unknown(name: str, why: str) -> Use:
    """Return that nothing is known, for a reason that lies outside of CloudWatch."""
    series = Series.of(SAGEMAKER, "Invocations", EndpointName=name)
    reading = Reading(series=series, quiet_since=None, newest=None, why=why)
    return Use(readings=(reading,), in_flight=None, backlog=None)
