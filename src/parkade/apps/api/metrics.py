"""What was measured: `/v1/metrics`."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import Query

from parkade.apps.api.auth import Operator
from parkade.apps.api.events import Instant
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.metrics import (
    MeasuredView,
    Measurements,
    SampleForm,
    SamplesForm,
    SeriesList,
    SeriesView,
)
from parkade.apps.cloudwatch.writing import LARGEST, reserved
from parkade.apps.wire import sight
from parkade.domain import statistics
from parkade.domain.errors import InvalidInput
from parkade.domain.series import Aggregate, Series
from parkade.domain.statistics import Statistic
from parkade.ports.metrics import MINUTE, Sample
from parkade.services.metrics import Wanted, aligned

if TYPE_CHECKING:
    from parkade.apps.assembly import Shared
    from parkade.ports.metrics import Known

routes = router("Metrics", "/v1/metrics")

#: What is told where no statistic is asked for.
_USUAL = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")

Endpoint = Annotated[
    str | None, Query(description="Only series of this endpoint, its components' among them.")
]
Namespace = Annotated[str | None, Query(description="Only series of this namespace.")]
Name = Annotated[str | None, Query(description="Only series of this name: `Invocations`.")]
Dimensions = Annotated[
    list[str],
    Query(
        description="Only series with this dimension, `VariantName=main`, or with any value of it, "
        "`VariantName`; repeat it for several."
    ),
]


@routes.get("/series")
async def list_series(
    services: Both,
    _caller: Operator,
    endpoint: Endpoint = None,
    namespace: Namespace = None,
    name: Name = None,
    dimension: Dimensions = [],  # noqa: B006  FastAPI copies it
    since: Instant = None,
) -> SeriesList:
    """List the series that there are, and the newest point of each."""
    found = await asyncio.to_thread(
        _known, services, endpoint, (namespace, name, _pairs(dimension)), since
    )
    return SeriesList(series=[SeriesView.of(each) for each in found])


@routes.get("")
async def get_metrics(
    services: Both,
    _caller: Operator,
    endpoint: Endpoint = None,
    namespace: Namespace = None,
    name: Name = None,
    dimension: Dimensions = [],  # noqa: B006  FastAPI copies it
    start: Instant = None,
    end: Annotated[Instant, Query(description="Before this instant; left out: now.")] = None,
    span: Annotated[
        float,
        Query(gt=0, le=366 * 86400, description="seconds. How far back, where no start is given."),
    ] = 10800,
    period: Annotated[
        float, Query(description="seconds. 10, 20 .. 50, or whole minutes up to a day.")
    ] = 60,
    statistic: Annotated[
        list[str],
        Query(
            description="SampleCount, Sum, Average, Minimum, Maximum, or a percentile such as "
            "`p99`; repeat it for several. Left out: the first five."
        ),
    ] = [],  # noqa: B006
) -> Measurements:
    """Tell what was measured, period by period, of all series that fit.

    The range is widened to whole periods, and is the last three hours where nothing is said.
    Minutes are kept for days (`monitor.minute_days`), and hours for months.
    """
    wanted = tuple(Statistic.of(each, field="statistic") for each in statistic or _USUAL)
    until = end or services.clock.now()
    begin = start or until - timedelta(seconds=span)
    seconds = statistics.period(period)
    first, last = aligned(begin, until, seconds)

    def read() -> list[MeasuredView]:
        which = (namespace, name, _pairs(dimension))
        known = _known(services, endpoint, which, first)
        answers = services.metrics.query(
            [Wanted(each.series, wanted) for each in known], first, last, seconds
        )
        return [MeasuredView.of(*pair) for pair in zip(known, answers, strict=True)]

    return Measurements(
        start=first,
        end=last,
        period=seconds,
        statistics=[each.name for each in wanted],
        measured=await asyncio.to_thread(read),
    )


@routes.post("", status_code=204)
async def put_metrics(services: Both, caller: Operator, form: SamplesForm) -> None:
    """Add measurements of one's own, as CloudWatch's PutMetricData does: all of them, or nothing.

    The namespaces of AWS and of Parkade itself are reserved: what is decided on them is measured.
    """
    if reserved(form.namespace):
        raise InvalidInput(
            f"namespace {form.namespace!r} is reserved",
            field="namespace",
            hint="write to a namespace of your own, such as Team/App",
        )
    now, scale = services.clock.now(), services.time_scale
    samples = [_sample(form.namespace, each, now, scale) for each in form.samples]
    for each in samples:
        if not sight.sees(caller, each.series, {}):
            caller.require_endpoint(dict(each.series.dimensions).get("EndpointName", ""))
    await asyncio.to_thread(services.metric_store.add, samples)


def _sample(namespace: str, form: SampleForm, now: datetime, scale: float) -> Sample:
    counts = form.counts if form.counts is not None else [1.0] * len(form.values)
    if len(counts) != len(form.values):
        raise InvalidInput(
            f"{form.name} has {len(counts)} counts for {len(form.values)} values",
            field="counts",
            hint="give one for each value, or leave them out",
        )
    found: dict[float, float] = {}
    for value, count in zip(form.values, counts, strict=True):
        if not abs(value) <= LARGEST or not 0 < count <= LARGEST:
            raise InvalidInput(
                f"{form.name}: {count:g} times {value:g} is no measurement", field="values"
            )
        found[value] = found.get(value, 0.0) + count
    return Sample(
        series=Series.of(namespace, form.name, **form.dimensions),
        at=statistics.begin(now - timedelta(seconds=form.ago_seconds * scale), MINUTE),
        value=Aggregate.counted(found),
        unit=form.unit,
    )


_Which = tuple[str | None, str | None, dict[str, str | None]]


def _known(
    services: "Shared", endpoint: str | None, which: _Which, since: datetime | None
) -> Sequence["Known"]:
    """Return the series that fit; those of an endpoint are its own and its components'."""
    namespace, name, dimensions = which
    metrics = services.metrics
    if endpoint is None:
        return metrics.known(namespace, name, dimensions, since)
    own = {**dimensions, "EndpointName": endpoint}
    found = list(metrics.known(namespace, name, own, since))
    for each in services.inventory.components().records:
        if each.component.endpoint_name == endpoint:
            of = {**dimensions, "InferenceComponentName": each.name}
            found += metrics.known(namespace, name, of, since)
    return sorted(set(found), key=lambda each: each.series.sorting)


def _pairs(dimensions: list[str]) -> dict[str, str | None]:
    pairs: dict[str, str | None] = {}
    for each in dimensions:
        key, equals, value = each.partition("=")
        if not key:
            raise InvalidInput(
                f"dimension {each[:80]!r} has no name",
                field="dimension",
                hint="write VariantName=main, or VariantName for any value of it",
            )
        pairs[key] = value if equals else None
    return pairs
