"""What a gateway tells of variants and of routes, as samples of CloudWatch's series."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.series import (
    API,
    API_METHOD,
    API_STAGE,
    PARKADE,
    SAGEMAKER,
    Aggregate,
    Series,
    Unit,
)
from parkade.ports.metrics import MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from parkade.apps import link, linkcalls
    from parkade.apps.control.monitor.accounts import Accounts
    from parkade.apps.control.monitor.subjects import Subject

#: What divides invocations by instances, or by copies: by whether it is a component.
PER = {False: "InvocationsPerInstance", True: "InvocationsPerCopy"}

_ZERO = Aggregate.of(0.0)

_Measured = tuple[str, Aggregate, Unit, str]


def invocations(
    accounts: Accounts,
    dimensions: Mapping[str, str],
    used: link.Usage,
    subject: Subject | None,
    now: datetime,
) -> None:
    """Add a row to the series of these dimensions; `subject`: None where it has gone meanwhile."""
    seconds = subject.seconds if subject is not None else MINUTE
    for name, value, unit, namespace in (*_counts(used, subject), *_times(used), *_rare(used)):
        series = Series.of(namespace, name, **dimensions)
        accounts.add(series, now, value, unit=unit, seconds=seconds)


def no_use(accounts: Accounts, minutes: Sequence[tuple[Subject, datetime]]) -> None:
    """Add a zero for each of these minutes that were without use."""
    for subject, minute in minutes:
        names = [subject.use]
        if not subject.asynchronous:
            names.append(subject.series(PER[subject.component]))
        for seconds in range(0, MINUTE, subject.seconds):
            at = minute + timedelta(seconds=seconds)
            for series in names:
                accounts.add(series, at, _ZERO, unit=Unit.COUNT, seconds=subject.seconds)


def calls(accounts: Accounts, called: linkcalls.Calls, now: datetime) -> None:
    """Add what came by a route: to its own series, and to those of its API as a whole."""
    count = called.calls
    measured = [
        ("Count", Aggregate.of(1.0, count), Unit.COUNT),
        ("4XXError", _ones(called.errors_4xx, count), Unit.COUNT),
        ("5XXError", _ones(called.errors_5xx, count), Unit.COUNT),
    ]
    measured += [
        (name, _aggregate(spread), Unit.MILLISECONDS)
        for name, spread in (
            ("Latency", called.latency),
            ("IntegrationLatency", called.integration),
        )
        if spread.buckets
    ]
    for dimensions in ({"ApiName": called.api}, _of_route(called)):
        for name, value, unit in measured:
            accounts.add(Series.of(API, name, **dimensions), now, value, unit=unit)


def _of_route(called: linkcalls.Calls) -> dict[str, str]:
    return {
        "ApiName": called.api,
        "Stage": API_STAGE,
        "Method": API_METHOD,
        "Resource": called.resource,
    }


def _counts(used: link.Usage, subject: Subject | None) -> Iterator[_Measured]:
    count = used.invocations
    if not count:
        return
    yield "Invocations", Aggregate.of(1.0, count), Unit.COUNT, SAGEMAKER
    for name, errors in (
        ("Invocation4XXErrors", used.errors_4xx),
        ("Invocation5XXErrors", used.errors_5xx),
        ("InvocationModelErrors", used.model_errors),
    ):
        yield name, _ones(errors, count), Unit.COUNT, SAGEMAKER
    if subject is not None:
        share = Aggregate.of(1.0 / max(1, subject.instances), count)
        yield PER[subject.component], share, Unit.COUNT, SAGEMAKER


def _times(used: link.Usage) -> Iterator[_Measured]:
    for name, spread, namespace in (
        ("ModelLatency", used.model, SAGEMAKER),
        ("OverheadLatency", used.overhead, SAGEMAKER),
        ("TotalLatency", used.whole, PARKADE),
        ("FirstByteLatency", used.first_byte, PARKADE),
    ):
        if spread.buckets:
            yield name, _aggregate(spread), Unit.MICROSECONDS, namespace


def _rare(used: link.Usage) -> Iterator[_Measured]:
    for name, number, namespace in (
        ("NoCapacityInvocationFailures", used.no_capacity, SAGEMAKER),
        ("ModelNotReady", used.not_ready, PARKADE),
        ("RetriedInvocations", used.retried, PARKADE),
        ("DroppedCopies", used.dropped, PARKADE),
    ):
        if number:
            yield name, Aggregate.of(1.0, number), Unit.COUNT, namespace


def _ones(number: int, count: int) -> Aggregate:
    """Return samples of which so many are 1 and the others 0."""
    number = min(number, count)
    return Aggregate(
        count=count,
        total=number,
        least=1.0 if number == count else 0.0,
        most=1.0 if number else 0.0,
    )


def _aggregate(spread: link.Spread) -> Aggregate:
    return Aggregate(
        count=sum(spread.buckets.values()),
        total=spread.total,
        least=spread.least,
        most=spread.most,
        buckets=spread.buckets,
    )
