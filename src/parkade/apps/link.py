"""What control and gateway tell each other over the link: snapshots down, usage and events up.

A snapshot is the whole of what a gateway needs to serve invocations; it replaces the one
before, so that nothing can be missed by missing a message. Usage goes up as deltas under a
rising number, together with events for the history, and both are kept by the gateway until
control said that it has them: none is lost, and one may come twice where control dies in between.

Messages are JSON behind four bytes of length.

    control -> gateway   {"kind": "snapshot", "snapshot": {...}}
                         {"kind": "counted", "number": N}
    gateway -> control   {"kind": "applied", "version": N, "gateway": ID}
                         {"kind": "usage", "number": N, "usage": {endpoint: {variant: {...}}},
                          "events": [{...}], "targets": [{...}], "calls": [{...}],
                          "gateway": ID, "silence": seconds since one was counted, or null,
                          "last": whether it ends now}
                         {"kind": "wake", "endpoint": ...}     somebody calls one that is asleep

A gateway keeps its ID for as long as it lives. So control, when it comes back, knows whether this is
the gateway that it knew, which has kept all counts since; and one that is gone without a last
message has taken some of them with it.

Target models of multi-model endpoints are no part of the snapshot: they come and go too often. A
gateway that connects is told all that is loaded, then each change; it asks for what it lacks.

    control -> gateway   {"kind": "placements", "placements": [{...}]}     all that is loaded
                         {"kind": "placed", "placed": {...}}               one more, or another content
                         {"kind": "withdraw", "number": N, "placed": {...}}
                         {"kind": "vanished", "instance_id": ...}          with all that it had
                         {"kind": "loaded", "number": N}
                         {"kind": "refused", "number": N, "refusal": {...}}
    gateway -> control   {"kind": "load", "number": N, "endpoint", "variant", "target",
                          "generation": of the instances, or 0 for any, "further": ..., "targets": [{...}]}
                         {"kind": "withdrawn", "number": N}                nothing is under way there
                         {"kind": "lost", "instance_id", "target", "name"}
                         {"kind": "finished", "instance_id", "target", "name"}
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from parkade.domain.event import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRoute:
    """An instance that answers: where each container of its model does, in their order.

    An address is the path of a unix socket, or `127.0.0.1:PORT`.
    """

    id: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRoute:
    """A variant, or an inference component, with those instances that may be given requests."""

    name: str
    weight: float
    instances: tuple[InstanceRoute, ...] = ()
    #: Whether the next request goes to any instance rather than to the one with the fewest.
    random: bool = False
    #: Requests at a time for all instances together; None: as many as they take.
    concurrency: int | None = None
    #: The hostnames of a pipeline's containers, in their order; empty text where one has none.
    hostnames: tuple[str, ...] = ()
    #: Whether a request goes to the one container that it names, not through all in series.
    direct: bool = False
    #: Whether requests name a target model, which is asked for before it is sent there.
    multi_model: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentRoute:
    """An inference component: its copies are the instances, its name is the route's."""

    variant: str
    route: VariantRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureView:
    """What of an endpoint's traffic is written down; see `domain.catalog.Capture`."""

    destination: str
    percentage: int
    inputs: bool
    outputs: bool
    csv_types: tuple[str, ...] = ()
    json_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """Why a leased endpoint does not serve, and when to ask again, in seconds."""

    reason: str
    hint: str
    retry_after: float
    #: When it will serve, as far as that is known: seconds of the epoch, real time.
    expected_at: float | None = None
    #: Whether the next request starts it: control is to be asked.
    wakes: bool = False
    #: Seconds for which callers are held who do not say whether they want to be.
    hold: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rising:
    """The generation that takes an endpoint over: it gets `weight` of `parts` requests."""

    generation: int
    weight: int
    parts: int
    variants: tuple[VariantRoute, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointView:
    """An endpoint that is leased or there. With neither `down` nor instances, requests wait."""

    variants: tuple[VariantRoute, ...] = ()
    #: Which of its generations these are of.
    generation: int = 0
    #: The one that takes over by and by; None: no requests go to any other.
    rising: Rising | None = None
    #: Variants that get copies; `weight` is relative to the one production variant's.
    shadows: tuple[VariantRoute, ...] = ()
    #: Inference components by name; None: the endpoint hosts none, its variants serve.
    components: Mapping[str, ComponentRoute] | None = None
    capture: CaptureView | None = None
    #: Whether it takes asynchronous calls only.
    asynchronous: bool = False
    down: Down | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteView:
    """The endpoint that a path invokes; a public one asks for no token."""

    endpoint: str
    public: bool = False
    #: Whom its calls are counted for: the project that it belongs to; empty: none.
    project: str = ""
    #: Requests of all callers a second, and at once; None: no more than their tokens' count.
    rate: float | None = None
    burst: int = 1
    #: For the first byte of a model's answer; None: `Limits.model_seconds`.
    seconds: float | None = None
    #: The header, or the cookie, by which the same caller gets the same variant; empty: none.
    header: str = ""
    cookie: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """A token that is not revoked; `expires_at` in seconds of the epoch, real time."""

    name: str
    digest: str
    role: str
    #: Endpoints it may invoke; empty: all.
    endpoints: tuple[str, ...] = ()
    expires_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds that the gateway holds; `rate` and `burst` are per token."""

    body_bytes: int = 6_291_456
    rate: float = 10_000
    burst: float = 5_000
    #: Requests of one endpoint that may wait for a worker.
    waiting: int = 1_000
    #: Callers of all endpoints who may be held until one has started, with how many bytes, and for
    #: how many seconds at most.
    hold_max: int = 1_000
    hold_bytes: int = 268_435_456
    hold_seconds: float = 900
    #: For the first byte of a model's answer, and from there to the end of one that is streamed.
    #: The second is what is said to be SageMaker's limit; no source shows it (unverified).
    model_seconds: float = 60
    stream_seconds: float = 480
    #: Seconds of real time between two usage messages.
    usage_seconds: float = 1
    #: Seconds after which captured calls are delivered, and how full the disk may be, in percent.
    capture_seconds: float = 60
    capture_disk_percent: float = 95
    #: Requests under way with a target model in an instance, from which on it spreads to another.
    spread_at: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that a gateway needs to know. `inside` is the secret of Parkade's own invocations."""

    version: int
    inside: str
    auth: bool = True
    endpoints: Mapping[str, EndpointView] = field(default_factory=dict)
    routes: Mapping[str, RouteView] = field(default_factory=dict)
    tokens: tuple[TokenView, ...] = ()
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long some things took; buckets are those of `domain.series`.

    In microseconds where it is a variant's, in milliseconds where it is a route's.
    """

    total: float = 0
    least: float = 0
    most: float = 0
    buckets: Mapping[int, int] = field(default_factory=dict)


#: Of nothing at all.
NOTHING = Spread()

#: The members of `Usage` that are of this kind.
SPREADS = ("model", "overhead", "whole", "first_byte")

#: The name of what waits for an endpoint and could not be given to any variant yet.
UNPLACED = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one variant was used since the message before; `in_flight` and `age` are as of now."""

    invocations: int = 0
    #: Answers of the model with status 4xx and 5xx, and all that were no 2xx of the model.
    errors_4xx: int = 0
    errors_5xx: int = 0
    model_errors: int = 0
    #: Requests given to a second worker because the first one went away.
    retried: int = 0
    #: Copies that a shadow variant was spared, for it was too busy or not there.
    dropped: int = 0
    #: Answers that passed to the caller as they came.
    streams: int = 0
    #: Sums over the invocations, in microseconds: in the worker, and before and after it.
    model_us: int = 0
    overhead_us: int = 0
    #: The same for the streams alone, until the first byte of the answer.
    first_byte_us: int = 0
    #: Requests for a component without copies, and for a target model that was not there in time.
    no_capacity: int = 0
    not_ready: int = 0
    #: How the times spread, and those of both together.
    model: Spread = NOTHING
    overhead: Spread = NOTHING
    whole: Spread = NOTHING
    first_byte: Spread = NOTHING
    in_flight: int = 0
    #: Seconds of real time since this gateway last counted any of it; None: it never has.
    age: float | None = None
    #: Whether it is an inference component rather than a variant.
    component: bool = False


#: The members of `Usage` that are zero, or false, where nothing happened.
_PLAIN = tuple(each.name for each in fields(Usage) if each.name not in {*SPREADS, "age"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What happened in a gateway and belongs into the history; see `domain.event.Event`."""

    kind: str
    reason: str
    #: Empty: it concerns all.
    endpoint: str = ""
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A target model that is loaded in an instance, where it has an opaque name."""

    endpoint: str
    variant: str
    instance_id: str
    target: str
    name: str
    #: Whether it is to be unloaded once its calls are answered.
    once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetUsage:
    """What a target model in an instance was used since the message before.

    Sums of time in microseconds; `in_flight` as of now; `age` in seconds since it was last used.
    """

    endpoint: str
    variant: str
    instance_id: str
    target: str
    invocations: int = 0
    #: Invocations that found it loaded.
    hits: int = 0
    model_errors: int = 0
    model_us: int = 0
    #: Spent by the others in waiting for it.
    waiting_us: int = 0
    in_flight: int = 0
    age: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a target model is not loaded: an error of the SageMaker runtime."""

    kind: str
    status: int
    message: str


#: Usage by endpoint and variant. An endpoint with any news is there with all its variants.
UsageReport: TypeAlias = "Mapping[str, Mapping[str, Usage]]"


def frame(message: Mapping[str, Any]) -> bytes:
    """Return the message as it is sent."""
    text = json.dumps(message, separators=(",", ":")).encode()
    return len(text).to_bytes(4, "big") + text


async def read(reader: asyncio.StreamReader) -> dict[str, Any]:
    """Return the next message. Raises asyncio.IncompleteReadError at the end of the link."""
    length = int.from_bytes(await reader.readexactly(4), "big")
    message: dict[str, Any] = json.loads(await reader.readexactly(length))
    return message


def usage_to_json(usage: UsageReport) -> dict[str, Any]:
    """Return a report as JSON values."""
    return {
        endpoint: {variant: _row(used) for variant, used in variants.items()}
        for endpoint, variants in usage.items()
    }


def _row(used: Usage) -> dict[str, Any]:
    """Return what is not as it is where nothing happened; there may be thousands each second."""
    row: dict[str, Any] = {name: value for name in _PLAIN if (value := getattr(used, name))}
    if used.age is not None:
        row["age"] = used.age
    for name in SPREADS:
        spread = getattr(used, name)
        if spread is not NOTHING:
            row[name] = spread_to_json(spread)
    return row


def usage_from_json(values: Mapping[str, Any]) -> UsageReport:
    """Return the report that `usage_to_json` made these values of."""
    return {
        endpoint: {variant: _usage(used) for variant, used in variants.items()}
        for endpoint, variants in values.items()
    }


def _usage(row: Mapping[str, Any]) -> Usage:
    spreads = {name: spread_from_json(row[name]) for name in SPREADS if name in row}
    return Usage(**{**row, **spreads})


def spread_to_json(spread: Spread) -> list[Any]:
    """Return a spread as JSON values."""
    return [spread.total, spread.least, spread.most, spread.buckets]


def spread_from_json(values: Sequence[Any]) -> Spread:
    """Return the spread that `spread_to_json` made these values of."""
    total, least, most, buckets = values
    counts = {int(number): count for number, count in buckets.items()}
    return Spread(total=total, least=least, most=most, buckets=counts)
