"""How endpoints are used, by what is known: the usage port of the embedded cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.errors import ParkadeError
from parkade.domain.idle import Reading, Use
from parkade.domain.series import SAGEMAKER, Series

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from parkade.apps.control.monitor.collector import Collector
    from parkade.apps.control.monitor.knowledge import Instant
    from parkade.apps.control.monitor.quiet import Quiet
    from parkade.apps.control.monitor.subjects import Subject

_NOTHING = Use(readings=(), in_flight=None, backlog=None)


class KnownUsage:
    """Answers from memory; what is not known is told as unknown, with the reason."""

    def __init__(
        self,
        collector: Callable[[], Collector | None],
        instant: Callable[[], Instant],
        *,
        trouble: Callable[[], str],
        backlog: Callable[[str], int | None],
    ) -> None:
        """Ask for the collector, None before there is one, and for how many requests wait.

        `trouble` tells why what is measured cannot be stored.
        """
        self._collector = collector
        self._instant = instant
        self._trouble = trouble
        self._backlog = backlog

    def uses(self, endpoint_names: Iterable[str], now: datetime) -> Mapping[str, Use]:
        """Return how each of these endpoints is used, as of `now`. Never raises."""
        del now  # what is known is of this very moment
        wanted = tuple(endpoint_names)
        collector = self._collector()
        if collector is None:
            return dict.fromkeys(wanted, _NOTHING)
        try:
            at = self._instant()
            collector.settle(at)
            missing = collector.knowledge.missing(at)
            subjects = collector.subjects.all()
        except ParkadeError as error:
            return dict.fromkeys(wanted, _unknown(error.message))
        if not missing and (trouble := self._trouble()):
            missing = f"measurements cannot be stored: {trouble}"
        return {
            name: self._use(name, subjects.get(name, ()), collector, missing) for name in wanted
        }

    def _use(
        self,
        name: str,
        subjects: Collection[Subject],
        collector: Collector,
        missing: str,
    ) -> Use:
        counted = [each for each in subjects if not each.shadow]
        quiets = [(each, collector.quiet[each.key]) for each in counted]
        # What was updated away may still answer, and that is use; what a shadow does is none.
        shadows = {each.key for each in subjects if each.shadow}
        in_flight = collector.in_flight(name)
        under_way = sum(number for key, number in in_flight.items() if key not in shadows)
        return Use(
            readings=tuple(
                _reading(subject, quiet, collector.knowledge.known_since, missing)
                for subject, quiet in quiets
            ),
            in_flight=None if missing else under_way,
            backlog=self._waiting(name, counted),
            used_at=max((q.used_at for _, q in quiets if q.used_at is not None), default=None),
        )

    def _waiting(self, name: str, subjects: Iterable[Subject]) -> int | None:
        if not any(each.asynchronous for each in subjects):
            return 0
        return self._backlog(name)


def _reading(subject: Subject, quiet: Quiet, known_since: datetime, missing: str) -> Reading:
    why = missing or quiet.unread
    return Reading(
        series=subject.use,
        quiet_since=None if why else max(quiet.since, known_since),
        newest=quiet.newest,
        why=why,
    )


def _unknown(why: str) -> Use:
    """Return that nothing is known, for a reason that lies outside of the endpoint."""
    series = Series.of(SAGEMAKER, "Invocations")
    reading = Reading(series=series, quiet_since=None, newest=None, why=why)
    return Use(readings=(reading,), in_flight=None, backlog=None)
