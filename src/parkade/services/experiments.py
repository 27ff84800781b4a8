"""Variants of one endpoint side by side, from what was measured and what was captured.

    experiments.look("text", Period(start, end), captured=Period(start, end), rules=STRICT)

Requests, errors and latencies are the monitor's. Whether a shadow variant answers as the production
variant does is told by the newest calls that were captured of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain import capturedcalls, names, statistics
from parkade.domain.ab.pairs import Agreement, joined
from parkade.domain.ab.quantiles import TOLD, Quantile, quantile
from parkade.domain.ab.verdicts import Count, Verdict, verdict
from parkade.domain.errors import BucketNotFound, EndpointNotFound, ObjectNotFound, Unreadable
from parkade.domain.ownrequests import is_own
from parkade.domain.series import SAGEMAKER, Aggregate, Series
from parkade.services.metrics import aligned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from parkade.domain.catalog import Capture, EndpointConfig
    from parkade.domain.comparing.answers import Rules
    from parkade.domain.comparing.reading import Body
    from parkade.domain.points import Points
    from parkade.ports.inventory import Inventory
    from parkade.ports.metrics import MetricStore
    from parkade.ports.objects import Objects

#: Pairs of captured answers that are compared: enough for two percent either way.
MOST_PAIRS = 2000
#: Bytes of captured files that are read for them.
MOST_BYTES = 32 * 1024**2
#: How far back one may look; minutes are kept for as long (`monitor.minute_days`).
LONGEST = timedelta(days=15)

_HOUR = timedelta(hours=1)
_COUNTS = ("Invocations", "InvocationModelErrors", "Invocation4XXErrors", "Invocation5XXErrors")
_LATENCY = "ModelLatency"
_COMPONENT = "InferenceComponentName"
_NOTHING = Aggregate(count=0, total=0, least=0, most=0)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start`, included, to `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One variant or inference component: what it should have got, what it got, and how it did."""

    name: str
    shadow: bool = False
    component: bool = False
    #: As it is now; None: the endpoint has it no more, or it is a component, which callers name.
    weight: float | None = None
    #: Of the requests; of a shadow, of the requests of the production variant. None: not known.
    share_wanted: float | None = None
    share: float | None = None
    count: Count = Count(0, 0)  # noqa: RUF009  it is frozen
    errors_4xx: int = 0
    errors_5xx: int = 0
    #: Of the time in the model's container, in microseconds.
    latencies: tuple[Quantile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One variant beside the baseline."""

    name: str
    baseline: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadowed:
    """How far a shadow's answers are those of the production variant."""

    shadow: str
    production: str
    agreement: Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """Variants side by side."""

    endpoint_name: str
    period: Period
    parts: tuple[Part, ...]
    compared: tuple[Compared, ...]
    shadowed: tuple[Shadowed, ...]
    #: Why no answers were compared, where there is a shadow; empty: they were.
    without_pairs: str = ""


class Experiments:
    """Looks at endpoints; changes nothing."""

    def __init__(self, catalog: Inventory, metrics: MetricStore, objects: Objects) -> None:
        self._catalog = catalog
        self._metrics = metrics
        self._objects = objects

    def look(
        self,
        endpoint_name: str,
        measured: Period,
        *,
        captured: Period,
        rules: Rules,
        smallest: float,
    ) -> Experiment:
        """Return the variants of an endpoint, those that were measured and are gone included.

        `measured` is in the time of leases, `captured` in real time. `smallest` is the difference of error rates that
        matters. Raises EndpointNotFound where nothing is known of it.
        """
        config = self._config(endpoint_name)
        start, end = aligned(measured.start, measured.end, 60)
        components = self._components(endpoint_name)
        seen = self._measured(endpoint_name, components, start, end)
        if config is None and not seen:
            raise EndpointNotFound(
                f"no endpoint has the name {endpoint_name!r}", hint="see: parkade ls"
            )
        parts = _parts(config, components, seen)
        shadowed, why = self._shadowed(endpoint_name, config, captured, rules)
        return Experiment(
            endpoint_name=endpoint_name,
            period=Period(start, end),
            parts=parts,
            compared=_compared(parts, smallest),
            shadowed=shadowed,
            without_pairs=why,
        )

    def _config(self, endpoint_name: str) -> EndpointConfig | None:
        try:
            return self._catalog.endpoint(endpoint_name).blueprint.config
        except EndpointNotFound:
            return None

    def _components(self, endpoint_name: str) -> tuple[str, ...]:
        return tuple(
            each.name
            for each in self._catalog.components().records
            if each.component.endpoint_name == endpoint_name
        )

    def _measured(
        self, endpoint_name: str, components: Sequence[str], start: datetime, end: datetime
    ) -> dict[str, dict[str, Aggregate]]:
        """Return what was measured, by variant or component and name of the series."""
        owners: list[dict[str, str | None]] = [{"EndpointName": endpoint_name, "VariantName": None}]
        owners += [{_COMPONENT: each} for each in components]
        known = [
            each.series
            for own in owners
            for name in (*_COUNTS, _LATENCY)
            for each in self._metrics.known(SAGEMAKER, name, own, start)
        ]
        found = self._metrics.points(known, start, end, 60)
        seen: dict[str, dict[str, Aggregate]] = {}
        for series in known:
            # What is damaged raises: a variant without its errors would look better than it is.
            points = found.get(series)
            if points:
                seen.setdefault(_part(series), {})[series.name] = _whole(points)
        return seen

    def _shadowed(
        self, endpoint_name: str, config: EndpointConfig | None, captured: Period, rules: Rules
    ) -> tuple[tuple[Shadowed, ...], str]:
        if config is None or not config.shadows:
            return (), ""
        capture = config.capture
        if capture is None or not capture.enabled:
            return (), "nothing is captured of it; turn data capture on"
        if not capture.outputs:
            return (), "its answers are not captured, its requests alone"
        production = config.variants[0].name
        reader = _Reader(self._objects, capture, endpoint_name, captured, rules)
        found = tuple(
            Shadowed(
                shadow=each.name,
                production=production,
                agreement=reader.agreement(production, each.name),
            )
            for each in config.shadows
        )
        return found, ""


def _whole(points: Points) -> Aggregate:
    """Return all points as one; column by column, for there may be two weeks of minutes."""
    return Aggregate(
        count=sum(points.counts),
        total=sum(points.totals),
        least=min(points.least),
        most=max(points.most),
        buckets=points.histograms.merged([len(points)])[0],
    )


def _part(series: Series) -> str:
    dimensions = dict(series.dimensions)
    return dimensions.get(_COMPONENT) or dimensions["VariantName"]


def _parts(
    config: EndpointConfig | None,
    components: Sequence[str],
    seen: Mapping[str, Mapping[str, Aggregate]],
) -> tuple[Part, ...]:
    # The variant of components is the machine that they run on: it is asked nothing itself.
    variants = config.variants if config and not config.hosts_components else ()
    shadows = config.shadows if config else ()
    weights = {each.name: each.weight for each in (*variants, *shadows)}
    hidden = {each.name for each in shadows}
    whole = sum(each.weight for each in variants)
    listed = [*weights, *components, *sorted(seen.keys() - weights.keys() - set(components))]
    requests = {name: _count(seen.get(name, {}), "Invocations") for name in listed}
    # Of a shadow both shares are of what was there to be copied.
    asked = sum(count for name, count in requests.items() if name not in hidden)
    return tuple(
        Part(
            name=name,
            shadow=name in hidden,
            component=name in components,
            weight=weights.get(name),
            share_wanted=min(1.0, weights[name] / whole) if name in weights and whole else None,
            share=requests[name] / asked if asked else None,
            count=Count(requests[name], _count(seen.get(name, {}), "InvocationModelErrors")),
            errors_4xx=_count(seen.get(name, {}), "Invocation4XXErrors"),
            errors_5xx=_count(seen.get(name, {}), "Invocation5XXErrors"),
            latencies=tuple(
                quantile(seen.get(name, {}).get(_LATENCY, _NOTHING), share) for share in TOLD
            ),
        )
        for name in listed
    )


def _count(measured: Mapping[str, Aggregate], name: str) -> int:
    return round(measured.get(name, _NOTHING).total)


def _compared(parts: Sequence[Part], smallest: float) -> tuple[Compared, ...]:
    """Compare all with the variant that should have most of the requests, else that has them."""
    if len(parts) < 2:
        return ()
    baseline = max(
        (each for each in parts if not each.shadow),
        key=lambda each: (each.weight or 0.0, each.count.requests),
    )
    return tuple(
        Compared(
            name=each.name,
            baseline=baseline.name,
            verdict=verdict(each.count, baseline.count, smallest=smallest),
        )
        for each in parts
        if each is not baseline
    )


class _Reader:
    """Reads captured calls, the newest hour first, until there are pairs enough."""

    def __init__(
        self, objects: Objects, capture: Capture, endpoint_name: str, period: Period, rules: Rules
    ) -> None:
        self._objects = objects
        self._bucket, prefix = names.s3_prefix(capture.destination, field="DestinationS3Uri")
        self._folder = f"{prefix}{endpoint_name}"
        self._period = period
        self._rules = rules
        self._left = MOST_BYTES
        self._unreadable = 0

    def agreement(self, production: str, shadow: str) -> Agreement:
        """Compare what was captured of both. An hour has the calls of both in folders of its own."""
        whole = Agreement()
        self._left, self._unreadable = MOST_BYTES, 0
        hour = statistics.begin(self._period.end, 3600)
        while hour + _HOUR > self._period.start:
            if whole.pairs >= MOST_PAIRS or self._left <= 0:
                whole = whole.plus(Agreement(complete=False))
                break
            shadows = self._answers(shadow, hour)
            # Without a shadow's there is nothing to compare with: then they are only counted.
            productions = self._answers(production, hour)
            whole = whole.plus(joined(productions, shadows, self._rules, MOST_PAIRS - whole.pairs))
            hour -= _HOUR
        return whole.plus(Agreement(unreadable=self._unreadable, complete=self._left > 0))

    def _answers(self, variant: str, hour: datetime) -> dict[str, Body]:
        """Return the answers of an hour by event id, the newest file first."""
        found: dict[str, Body] = {}
        window = capturedcalls.Window(self._period.start, self._period.end)
        for line in self._lines(f"{self._folder}/{variant}/{hour:%Y/%m/%d/%H}/"):
            try:
                call = capturedcalls.read(line)
            except Unreadable:
                self._unreadable += 1
                continue
            wanted = call.answered is not None and window.has(call.at)
            if wanted and call.event_id and not is_own(call.inference_id):
                assert call.answered is not None  # noqa: S101  it is wanted
                found[call.event_id] = call.answered
        return found

    def _lines(self, folder: str) -> Iterator[bytes]:
        try:
            there = self._objects.ls(self._bucket, folder)
        except BucketNotFound:
            return
        for info in reversed(there):
            if self._left <= 0:
                return
            try:
                with self._objects.open(self._bucket, info.key) as file:
                    for line in file:
                        self._left -= len(line)
                        yield line
            except ObjectNotFound:
                continue  # removed meanwhile
