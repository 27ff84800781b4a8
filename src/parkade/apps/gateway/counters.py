"""Counting what variants are used, and keeping the counts until control has them."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from parkade.apps import link
from parkade.apps.gateway.spreads import Spread

if TYPE_CHECKING:
    from collections.abc import Container

#: The sums that go up as deltas; `in_flight` is told as it is.
_SUMS = (
    "invocations",
    "errors_4xx",
    "errors_5xx",
    "model_errors",
    "retried",
    "dropped",
    "streams",
    "model_us",
    "overhead_us",
    "first_byte_us",
    "no_capacity",
    "not_ready",
)
_UNTOLD = -1
#: Invocations whose times are counted at once.
_TOGETHER = 512


class Counter:
    """The counts of one variant since they were last taken."""

    __slots__ = (
        *_SUMS,
        "_models",
        "_overheads",
        "_spreads",
        "_used_at",
        "component",
        "in_flight",
        "told",
    )

    def __init__(self) -> None:
        self.invocations = 0
        self.errors_4xx = 0
        self.errors_5xx = 0
        self.model_errors = 0
        self.retried = 0
        self.dropped = 0
        self.streams = 0
        self.model_us = 0
        self.overhead_us = 0
        self.first_byte_us = 0
        self.no_capacity = 0
        self.not_ready = 0
        #: Requests that this variant has, waiting for a worker or in one.
        self.in_flight = 0
        #: What control was last told to be in flight.
        self.told = 0
        #: Whether it is an inference component's.
        self.component = False
        #: When it was last seen to have been used; None: never.
        self._used_at: float | None = None
        self._spreads = {name: Spread() for name in link.SPREADS}
        # Seconds of invocations whose times are not counted yet.
        self._models: list[float] = []
        self._overheads: list[float] = []

    def count(self, model: float, overhead: float) -> None:
        """Count an invocation that is over, with its seconds in the worker and outside."""
        self.invocations += 1
        models = self._models
        models.append(model)
        self._overheads.append(overhead)
        if len(models) >= _TOGETHER:
            self._fold()

    def failed(self, status: int) -> None:
        """Count an answer of the model that was no success."""
        self.model_errors += 1
        if 400 <= status < 500:
            self.errors_4xx += 1
        elif status >= 500:
            self.errors_5xx += 1

    def begun(self, model: float) -> None:
        """Count an answer that is streamed, with the seconds to its first byte."""
        self.streams += 1
        self.first_byte_us += int(model * 1e6)
        self._spreads["first_byte"].count((model,))

    @property
    def news(self) -> bool:
        """Tell whether control does not know all of it."""
        return self.in_flight != self.told or self._counted

    @property
    def _counted(self) -> bool:
        return any(getattr(self, name) for name in _SUMS)

    def take(self) -> link.Usage:
        """Return the deltas and begin again from zero."""
        if self._models:
            self._fold()
        if self._counted or self.in_flight:
            self._used_at = monotonic()
        taken: dict[str, Any] = {name: getattr(self, name) for name in _SUMS}
        taken |= {name: spread.take() for name, spread in self._spreads.items()}
        for name in _SUMS:
            setattr(self, name, 0)
        self.told = self.in_flight
        return link.Usage(
            in_flight=self.in_flight,
            age=None if self._used_at is None else monotonic() - self._used_at,
            component=self.component,
            **taken,
        )

    def give_back(self, usage: link.Usage) -> None:
        """Add deltas that were taken and did not arrive."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(usage, name))
        for name, spread in self._spreads.items():
            spread.give_back(getattr(usage, name))

    def _fold(self) -> None:
        models, overheads = self._models, self._overheads
        self._models, self._overheads = [], []
        self.model_us += int(sum(models) * 1e6)
        self.overhead_us += int(sum(overheads) * 1e6)
        self._spreads["model"].count(models)
        self._spreads["overhead"].count(overheads)
        both = zip(models, overheads, strict=True)
        self._spreads["whole"].count([model + overhead for model, overhead in both])


class Ledger:
    """The counters of all variants, those that are gone included until they are reported."""

    def __init__(self) -> None:
        self._endpoints: dict[str, dict[str, Counter]] = {}

    def of(self, endpoint: str, variant: str) -> Counter:
        """Return the variant's counter."""
        return self._endpoints.setdefault(endpoint, {}).setdefault(variant, Counter())

    def take(self) -> link.UsageReport:
        """Return the deltas of every endpoint with news, and begin again from zero."""
        return {
            endpoint: {variant: counter.take() for variant, counter in variants.items()}
            for endpoint, variants in self._endpoints.items()
            if any(counter.news for counter in variants.values())
        }

    def give_back(self, report: link.UsageReport) -> None:
        """Add deltas that were taken and did not arrive."""
        for endpoint, variants in report.items():
            for variant, usage in variants.items():
                self.of(endpoint, variant).give_back(usage)

    def tell_again(self) -> None:
        """Whoever hears the next report knows nothing of what is in flight."""
        for variants in self._endpoints.values():
            for counter in variants.values():
                counter.told = _UNTOLD

    def forget(self, live: Container[str]) -> None:
        """Let go of endpoints that are gone and have nothing left to tell."""
        gone = [
            name
            for name, variants in self._endpoints.items()
            if name not in live
            and not any(each.news or each.in_flight for each in variants.values())
        ]
        for name in gone:
            del self._endpoints[name]
