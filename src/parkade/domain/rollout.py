"""How an update is asked to go: at once, as a canary, in steps, or batch by batch.

A `Strategy` is SageMaker's DeploymentConfig with its limits, which are checked where one is made; how
far an update by it has come is `domain.stages`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Collection

    from parkade.domain.catalog import EndpointConfig

#: SageMaker's limits of WaitIntervalInSeconds and TerminationWaitInSeconds.
LONGEST_WAIT = timedelta(seconds=3600)
#: SageMaker's limits of MaximumExecutionTimeoutInSeconds.
SHORTEST_LIMIT, LONGEST_LIMIT = timedelta(seconds=600), timedelta(seconds=28800)
ALARMS_LIMIT = 10
_PARTS = 100
_NOTHING = timedelta()


class Kind(StrEnum):
    """How requests go over to the new fleet."""

    ALL_AT_ONCE = "ALL_AT_ONCE"
    CANARY = "CANARY"
    LINEAR = "LINEAR"
    ROLLING = "ROLLING"


#: What SageMaker calls the size of a step.
FIELDS = {
    Kind.CANARY: "CanarySize",
    Kind.LINEAR: "LinearStepSize",
    Kind.ROLLING: "MaximumBatchSize",
}
ROLLBACK_FIELD = "RollbackMaximumBatchSize"
#: The least and the most a step may be, in percent of a variant's instances.
_BOUNDS = {Kind.CANARY: (0, 50), Kind.LINEAR: (10, 50), Kind.ROLLING: (5, 50)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A part of each variant: a number of its instances, or a percentage of its capacity."""

    instances: int | None = None
    percent: int | None = None

    def __post_init__(self) -> None:
        given = [each for each in (self.instances, self.percent) if each is not None]
        if len(given) != 1 or isinstance(given[0], bool) or given[0] < 1:
            raise InvalidInput(
                "a size is either a number of instances or a percentage, of 1 or more",
                field="Value",
            )
        if self.percent is not None and self.percent > _PARTS:
            raise InvalidInput(f"{self.percent} percent is more than all", field="Value")

    def of(self, counts: Collection[int]) -> Fraction:
        """Return its share of variants with these counts: the least, where it is not the same."""
        if self.percent is not None:
            return Fraction(self.percent, _PARTS)
        return min(
            (Fraction(self.instances or 0, count) for count in counts if count),
            default=Fraction(1),
        )

    def __str__(self) -> str:
        if self.percent is not None:
            return f"{self.percent} %"
        return f"{self.instances} instance{'s' * (self.instances != 1)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How an update is to go: SageMaker's DeploymentConfig."""

    kind: Kind = Kind.ALL_AT_ONCE
    #: The canary, each step of LINEAR, each batch of ROLLING.
    step: Size | None = None
    #: After each step, while alarms are watched.
    wait: timedelta = _NOTHING
    #: From the last of that to the end of the old fleet.
    termination_wait: timedelta = _NOTHING
    #: What takes longer is rolled back; None: it may take as long as its waits and starts do.
    limit: timedelta | None = None
    #: The batches of turning back from ROLLING; None: all at once.
    rollback_step: Size | None = None
    #: Names of the alarms that turn it back.
    alarms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check_step()
        _check_span("WaitIntervalInSeconds", self.wait, _NOTHING, LONGEST_WAIT)
        _check_span("TerminationWaitInSeconds", self.termination_wait, _NOTHING, LONGEST_WAIT)
        if self.kind is Kind.ROLLING and self.termination_wait:
            raise InvalidInput(
                "TerminationWaitInSeconds does not go with ROLLING: the old fleet leaves batch by "
                "batch",
                field="TerminationWaitInSeconds",
                hint="give a longer WaitIntervalInSeconds",
            )
        if self.kind is not Kind.ROLLING and self.rollback_step is not None:
            raise InvalidInput(f"{ROLLBACK_FIELD} goes with ROLLING alone", field=ROLLBACK_FIELD)
        if self.limit is not None:
            name = "MaximumExecutionTimeoutInSeconds"
            _check_span(name, self.limit, SHORTEST_LIMIT, LONGEST_LIMIT)
            self._check_limit(self.wait + self.termination_wait)
        if len(self.alarms) > ALARMS_LIMIT or len(set(self.alarms)) < len(self.alarms):
            raise InvalidInput(
                f"{len(self.alarms)} alarms were given; up to {ALARMS_LIMIT} different ones can be",
                field="Alarms",
            )

    def __str__(self) -> str:
        name = str(self.kind).lower().replace("_", " ")
        if self.step is None:
            return name
        return f"{name}, {self.step} {'first' if self.kind is Kind.CANARY else 'at a time'}"

    @property
    def plain(self) -> bool:
        """Whether it is nothing but the switch from one fleet to the next, once that is whole."""
        return self == Strategy()

    def course(self, counts: Collection[int]) -> tuple[Fraction, ...]:
        """Return the share of requests that the new fleet has after each step, the last one 1.

        `counts` are the instances of its variants. Raises InvalidInput where the step does not
        fit them, or where the limit is shorter than all waits together.
        """
        shares = self._shares(counts)
        self._check_limit(self.wait * len(shares) + self.termination_wait)
        return shares

    def back(self, counts: Collection[int]) -> Fraction:
        """Return the share of requests that a step of turning back takes, of these old counts."""
        return Fraction(1) if self.rollback_step is None else self.rollback_step.of(counts)

    def _shares(self, counts: Collection[int]) -> tuple[Fraction, ...]:
        if self.step is None:
            return (Fraction(1),)
        if self.step.instances is not None:
            for count in counts:
                self._check_part(Fraction(self.step.instances * _PARTS, max(count, 1)), count)
        share = self.step.of(counts)
        if self.kind is Kind.CANARY:
            return share, Fraction(1)
        return *(share * number for number in range(1, ceil(1 / share))), Fraction(1)

    def _check_step(self) -> None:
        if self.kind is Kind.ALL_AT_ONCE:
            if self.step is not None:
                raise InvalidInput("ALL_AT_ONCE has one step, of everything", field="Type")
            return
        if self.step is None:
            name = FIELDS[self.kind]
            raise InvalidInput(f"{self.kind} needs {name}", field=name)
        if self.step.percent is not None:
            self._check_part(Fraction(self.step.percent), None)

    def _check_part(self, percent: Fraction, count: int | None) -> None:
        least, most = _BOUNDS[self.kind]
        if not least <= percent <= most:
            name = FIELDS[self.kind]
            of = "" if count is None else f" of a variant with {count}"
            bounds = f"{least} to {most}" if least else f"at most {most}"
            raise InvalidInput(
                f"{name} {self.step}{of} is not {bounds} percent of the variant's instances",
                field=name,
                hint="give CAPACITY_PERCENT, which is exact for any number of instances",
            )

    def _check_limit(self, waits: timedelta) -> None:
        if self.limit is not None and self.limit <= waits:
            raise InvalidInput(
                f"MaximumExecutionTimeoutInSeconds {seconds(self.limit)} is not larger than all "
                f"waits together, {seconds(waits)} seconds",
                field="MaximumExecutionTimeoutInSeconds",
            )


def check(strategy: Strategy, old: EndpointConfig, new: EndpointConfig) -> None:
    """Raise InvalidInput where an update cannot go in stages from one config to the other.

    SageMaker has these limits, too: stages are for real-time and asynchronous variants, of the
    same names in both, and batches for one variant alone.
    """
    names = {each.name for each in old.variants}
    if names != {each.name for each in new.variants}:
        raise InvalidInput(
            f"endpoint config {new.name!r} has other variants than {old.name!r}, between which "
            "requests cannot be shifted",
            field="DeploymentConfig",
            hint=f"name its variants {', '.join(sorted(names))}, or leave DeploymentConfig out",
        )
    for config in (old, new):
        if config.hosts_components:
            raise InvalidInput(
                f"endpoint config {config.name!r} hosts inference components, which get requests "
                "by their own names",
                field="DeploymentConfig",
                hint="leave DeploymentConfig out, and update the components",
            )
        serverless = [each.name for each in config.variants if each.serverless is not None]
        if serverless:
            raise InvalidInput(
                f"variant {serverless[0]!r} of endpoint config {config.name!r} is serverless and "
                "has no instances to go over to",
                field="DeploymentConfig",
                hint="leave DeploymentConfig out",
            )
    if strategy.kind is Kind.ROLLING and len(names) > 1:
        raise InvalidInput(
            f"endpoint config {new.name!r} has {len(names)} variants; ROLLING goes with one",
            field="RollingUpdatePolicy",
            hint="give BlueGreenUpdatePolicy with LINEAR",
        )


def _check_span(field: str, given: timedelta, least: timedelta, most: timedelta) -> None:
    if not least <= given <= most:
        raise InvalidInput(
            f"{field} {seconds(given)} is not {seconds(least)} to {seconds(most)}", field=field
        )


def seconds(span: timedelta) -> str:
    """Write a span as SageMaker has it."""
    return f"{span.total_seconds():g}"
