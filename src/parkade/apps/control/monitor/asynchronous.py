"""What asynchronous endpoints measure: how much waits, and how what was accepted ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.series import SAGEMAKER, Aggregate, Series, Unit, bucket
from parkade.runtime.trips import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parkade.apps.control.monitor.accounts import Accounts
    from parkade.apps.control.monitor.subjects import Subject, Subjects
    from parkade.ports.clock import Clock
    from parkade.runtime.backlog import BacklogView
    from parkade.runtime.trips import Ended, Trip


class AsyncMeasures:
    """Observes the backlog; see `runtime.trips.Observer`."""

    def __init__(
        self,
        accounts: Accounts,
        subjects: Subjects,
        clock: Clock,
        *,
        view: Callable[[str], BacklogView],
        used: Callable[[Subject], None],
    ) -> None:
        """Ask `view` for an endpoint's backlog; call `used` for what has carried out a request."""
        self._accounts = accounts
        self._subjects = subjects
        self._clock = clock
        self._view = view
        self._used = used

    def ended(self, ended: Ended) -> None:
        """Count how a request has ended."""
        trip = ended.trip
        subject = self._subject(ended.endpoint_name, trip.variant_name if trip else "")
        if subject is None:
            return
        self._used(subject)
        for name, value, unit in _samples(ended):
            self._add(subject.series(name), value, unit)
        if trip is not None and trip.model is not None:
            self._add(subject.series("ModelLatency"), _time(trip.model * 1e6), Unit.MICROSECONDS)

    def untold(self, endpoint_name: str, variant_name: str) -> None:
        """Count a notification that failed."""
        subject = self._subject(endpoint_name, variant_name)
        if subject is not None:
            self._add(subject.series("NotificationFailures"), Aggregate.of(1.0), Unit.COUNT)

    def sample(self) -> None:
        """Measure how much waits now."""
        for name, subjects in self._subjects.all().items():
            if subjects and subjects[0].asynchronous and subjects[0].serving:
                self._sample(name, sum(each.instances for each in subjects))

    def _sample(self, endpoint_name: str, instances: int) -> None:
        view = self._view(endpoint_name)
        size = view.waiting + view.running
        age = view.oldest.total_seconds() if view.oldest is not None else 0.0
        stuck = float(bool(view.waiting) and not instances)

        def add(name: str, value: float, unit: Unit) -> None:
            series = Series.of(SAGEMAKER, name, EndpointName=endpoint_name)
            self._add(series, Aggregate.of(value), unit)

        add("ApproximateBacklogSize", size, Unit.COUNT)
        if instances:
            add("ApproximateBacklogSizePerInstance", size / instances, Unit.COUNT)
        if view.oldest is not None:
            add("ApproximateAgeOfOldestRequest", age, Unit.SECONDS)
        add("HasBacklogWithoutCapacity", stuck, Unit.COUNT)

    def _subject(self, endpoint_name: str, variant_name: str) -> Subject | None:
        """Return the variant, or the first where it is not known; None: the endpoint is gone."""
        subjects = self._subjects.of(endpoint_name)
        named = (each for each in subjects if each.name == variant_name)
        return next(named, subjects[0] if subjects else None)

    def _add(self, series: Series, value: Aggregate, unit: Unit) -> None:
        self._accounts.add(series, self._clock.now(), value, unit=unit)


def _samples(ended: Ended) -> Iterator[tuple[str, Aggregate, Unit]]:
    one = Aggregate.of(1.0)
    if ended.expired:
        yield "ExpiredRequests", one, Unit.COUNT
        return
    yield "InvocationsProcesssed", one, Unit.COUNT
    yield "InvocationFailures", Aggregate.of(float(not ended.completed)), Unit.COUNT
    yield "TotalProcessingTime", _time(ended.took.total_seconds() * 1e3), Unit.MILLISECONDS
    if ended.trip is not None:
        yield from _of_trip(ended.trip, completed=ended.completed)


def _of_trip(trip: Trip, *, completed: bool) -> Iterator[tuple[str, Aggregate, Unit]]:
    waited = trip.waited.total_seconds() * 1e3
    yield "TimeInBacklog", _time(waited), Unit.MILLISECONDS
    for stage, name, seconds in (
        (Stage.DOWNLOAD, "RequestDownload", trip.download),
        (Stage.UPLOAD, "ResponseUpload", trip.upload),
    ):
        failed = not completed and trip.stage is stage
        yield f"{name}Failures", Aggregate.of(float(failed)), Unit.COUNT
        if not failed and seconds:
            yield f"{name}Latency", _time(seconds * 1e6), Unit.MICROSECONDS
    status = trip.status or 0
    yield "Invocation4XXErrors", Aggregate.of(float(400 <= status < 500)), Unit.COUNT
    yield "Invocation5XXErrors", Aggregate.of(float(status >= 500)), Unit.COUNT
    refused = not completed and trip.stage is Stage.MODEL
    yield "InvocationModelErrors", Aggregate.of(float(refused)), Unit.COUNT


def _time(value: float) -> Aggregate:
    return Aggregate(count=1, total=value, least=value, most=value, buckets={bucket(value): 1})
