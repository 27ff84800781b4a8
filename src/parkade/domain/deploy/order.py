"""What somebody wants deployed: variants, their scaling, the lease, and how it is brought up.

An order that exists is whole: what was left out has its default, and what cannot go together was
refused when it was made.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  stores read these forms by their annotations
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil

from parkade.domain import names
from parkade.domain import tags as tagging
from parkade.domain.catalog import Asynchronous, Capture, EndpointConfig, Variant
from parkade.domain.errors import InvalidInput
from parkade.domain.rollout import Kind, Strategy
from parkade.domain.scaling.policy import Predefined, Tracking
from parkade.domain.terms import Sleep, Wake  # noqa: TC001

#: The tag that everything made by a deployment carries, and its value where none is given.
ENVIRONMENT_TAG, ENVIRONMENT = "environment", "development"
#: A variant that is given no name.
ALL_TRAFFIC = "AllTraffic"
#: How long an update, or a creation, may take beside its strategy's waits: as long as AWS's own
#: waiter waits.
MAX_WAIT = timedelta(minutes=60)
LONGEST_WAIT = timedelta(days=1)
#: The scaling policy where none is given.
TRACKING = Tracking(
    target=5000.0, metric=Predefined.INVOCATIONS_PER_INSTANCE, out_cooldown=60, in_cooldown=300
)


#: Steps of a strategy at most, where their size is not a percentage.
_MOST_STEPS = {Kind.ALL_AT_ONCE: 1, Kind.CANARY: 2, Kind.LINEAR: 10, Kind.ROLLING: 20}


def patience(strategy: Strategy) -> timedelta:
    """Return how long bringing it up may take, where nobody says: the strategy's own waits beside."""
    if strategy.limit is not None:
        return MAX_WAIT + strategy.limit
    steps = _MOST_STEPS[strategy.kind]
    if strategy.kind is not Kind.CANARY and strategy.step and strategy.step.percent:
        steps = ceil(100 / strategy.step.percent)
    return MAX_WAIT + strategy.wait * steps + strategy.termination_wait


class Aspect(StrEnum):
    """Of what an order may say nothing, so that it stays as it is."""

    CAPTURE = "capture"
    ASYNCHRONOUS = "asynchronous"
    SHADOWS = "shadows"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantScaling:
    """How many instances a variant may have, and what its number follows."""

    least: int
    most: int
    tracking: Tracking = TRACKING

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most or self.most < 1:
            raise InvalidInput(
                f"autoscalingMinCapacity {self.least} and autoscalingMaxCapacity {self.most} leave "
                "no number of instances in between",
                field="autoscalingMinCapacity",
                hint="give a least number that is not above the most",
            )

    def clamped(self, count: int) -> int:
        """Return the number of instances nearest to `count` that is allowed."""
        return max(self.least, min(self.most, count))


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One deployment as it was asked for."""

    endpoint_name: str
    variants: tuple[Variant, ...]
    #: Whether variants that run go on with as many instances as they have. Those with scaling always
    #: do; False: others are given what is ordered.
    keeps_counts: bool = True
    #: Of which of the next three it says anything; what it does not speak of stays as it is.
    speaks_of: tuple[Aspect, ...] = ()
    shadows: tuple[Variant, ...] = ()
    capture: Capture | None = None
    asynchronous: Asynchronous | None = None
    #: By variant. None: it is not scaled from now on; left out: as it was before.
    scaling: Mapping[str, VariantScaling | None] = field(default_factory=dict)
    environment: str = ENVIRONMENT
    tags: Mapping[str, str] = field(default_factory=dict)
    #: False: the endpoint runs without a lease.
    metered: bool = True
    #: Time that is bought for it; None: nothing more for a lease that runs, else the usual.
    amount: timedelta | None = None
    #: Whether a lease that is over is given new time; False: then it is not deployed to.
    revives: bool = True
    #: Whose lease it is; empty: as it is, or of whoever deploys.
    owner: str = ""
    #: How requests go over to the new fleet of an update.
    strategy: Strategy = field(default_factory=Strategy)
    #: When it sleeps, and what wakes it; None: as was settled before.
    sleep: Sleep | None = None
    wake: Wake | None = None
    #: How long bringing it up may take, and going back once more.
    max_wait: timedelta = MAX_WAIT
    #: What was said about the payload and is no error.
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names.endpoint_name(self.endpoint_name, field="endpointName")
        if self.owner:
            names.buyer_name(self.owner)
        tagging.checked(self.all_tags)
        # What no endpoint config may be is refused here, rather than on the way.
        EndpointConfig(
            name=self.endpoint_name,
            variants=self.variants,
            shadows=self.shadows,
            capture=self.capture,
            asynchronous=self.asynchronous,
            created_at=datetime.min.replace(tzinfo=UTC),
        ).require_initial()
        self._require_scalable()
        self._require_metered()
        if not timedelta(0) < self.max_wait <= LONGEST_WAIT:
            raise InvalidInput(
                f"maxWaitMinutes {self.max_wait / timedelta(minutes=1):g} is not within 0 to "
                f"{LONGEST_WAIT / timedelta(minutes=1):g}",
                field="maxWaitMinutes",
            )

    def _require_scalable(self) -> None:
        by_name = {variant.name: variant for variant in self.variants}
        for name, scaling in self.scaling.items():
            if name not in by_name:
                raise InvalidInput(
                    f"scaling is given for {name!r}, which is none of the variants",
                    field="scaling",
                    hint=names.suggestion(name, by_name) or "they are " + ", ".join(by_name),
                )
            if scaling is not None and by_name[name].serverless is not None:
                raise InvalidInput(
                    f"variant {name!r} is serverless and has no instances to scale",
                    field="scaling",
                    hint=f'write "scaling": {{"{name}": null}}',
                )

    def _require_metered(self) -> None:
        if self.metered:
            return
        for given, name in (
            (self.amount, "minutes"),
            (self.owner, "owner"),
            (self.sleep, "sleep"),
            (self.wake, "wake"),
        ):
            if given:
                raise InvalidInput(
                    f"{name} is given together with metered: false, and an endpoint without a "
                    "lease has none",
                    field=name,
                    hint=f"leave out {name}, or metered",
                )

    @property
    def all_tags(self) -> Mapping[str, str]:
        """The tags of everything that it makes."""
        return {**self.tags, ENVIRONMENT_TAG: self.environment}
