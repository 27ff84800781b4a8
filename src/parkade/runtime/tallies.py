"""What is counted of each target model: its use, and what it cost to bring it.

The names are those of SageMaker's metrics of multi-model endpoints, where it has them. Sums of
time are in microseconds.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, fields, replace


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of one target model of a variant, since this control process began."""

    invocations: int = 0
    #: ModelCacheHit: those that found it loaded.
    hits: int = 0
    model_errors: int = 0
    #: ModelLatency: sum over the invocations.
    model_us: int = 0
    #: ModelLoadingWaitTime: sum over the invocations that did not find it.
    waiting_us: int = 0
    #: ModelDownloadingTime, ModelLoadingTime, ModelUnloadingTime: sums, with how many they are of.
    downloads: int = 0
    downloading_us: int = 0
    loads: int = 0
    loading_us: int = 0
    unloads: int = 0
    unloading_us: int = 0

    @property
    def hit_ratio(self) -> float | None:
        """Which part of its invocations found it loaded; None: there were none."""
        return self.hits / self.invocations if self.invocations else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetUse:
    """What a gateway tells of one copy of a target model since its last word."""

    endpoint_name: str
    variant_name: str
    instance_id: str
    target: str
    invocations: int = 0
    hits: int = 0
    model_errors: int = 0
    model_us: int = 0
    waiting_us: int = 0
    in_flight: int = 0
    #: Seconds since it was last used.
    age: float = 0


@dataclass(slots=True)
class Tallies:
    """The tallies by endpoint, variant and target model."""

    _of: dict[tuple[str, str], defaultdict[str, Tally]] = field(default_factory=dict)
    #: Those that were asked for to be counted in, and what they were when news were last taken.
    _touched: set[tuple[str, str, str]] = field(default_factory=set)
    _told: dict[tuple[str, str, str], Tally] = field(default_factory=dict)

    def of(self, endpoint_name: str, variant_name: str, target: str) -> Tally:
        """Return the tally to be counted in, at once."""
        self._touched.add((endpoint_name, variant_name, target))
        targets = self._of.setdefault((endpoint_name, variant_name), defaultdict(Tally))
        return targets[target]

    def used(self, use: TargetUse) -> None:
        """Count what a gateway tells."""
        tally = self.of(use.endpoint_name, use.variant_name, use.target)
        tally.invocations += use.invocations
        tally.hits += use.hits
        tally.model_errors += use.model_errors
        tally.model_us += use.model_us
        tally.waiting_us += use.waiting_us

    def take_news(self) -> dict[tuple[str, str, str], Tally]:
        """Return by how much tallies have grown since this was last asked.

        Keys are endpoint, variant and target model.
        """
        news = {}
        for key in self._touched:
            present = self._of[key[:2]][key[2]]
            former = self._told.get(key) or Tally()
            grown = Tally(**{
                each.name: getattr(present, each.name) - getattr(former, each.name)
                for each in fields(Tally)
            })  # fmt: skip
            if grown != Tally():
                news[key] = grown
                self._told[key] = replace(present)
        self._touched.clear()
        return news

    def of_endpoint(self, endpoint_name: str) -> dict[str, dict[str, Tally]]:
        """Return the tallies of an endpoint by variant and target model."""
        return {
            variant: dict(targets)
            for (endpoint, variant), targets in self._of.items()
            if endpoint == endpoint_name
        }
