"""Whose turn it is to take an asynchronous request: generations by their shares, variants by weight.

A turn is over when it is taken. Where the one that has it is busy, requests wait, so that a new
fleet never gets more than its share because the old one is slow.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parkade.runtime.views import FleetView, InstanceView, VariantView


class Turns:
    """The turns of all endpoints."""

    def __init__(self) -> None:
        #: Requests by endpoint and variant, each divided by the variant's weight.
        self._served: dict[tuple[str, str], float] = defaultdict(float)
        #: What generations that take over are owed, in the parts of their shares.
        self._owed: dict[str, int] = defaultdict(int)

    def take(
        self, endpoint_name: str, fleet: FleetView, free: Callable[[InstanceView], bool]
    ) -> list[InstanceView]:
        """Return the free instances of the variant that is behind its share; none: all are busy."""
        rising = fleet.rising
        ahead = rising is not None and self._owed[endpoint_name] + rising.weight >= rising.parts
        variants = _weighed(rising.variants if rising is not None and ahead else fleet.variants)
        open_ = [(each, [one for one in each.instances if free(one)]) for each in variants]
        candidates = [(variant, instances) for variant, instances in open_ if instances]
        if not candidates:
            return []
        if rising is None:
            self._owed.pop(endpoint_name, None)
        else:
            self._owed[endpoint_name] += rising.weight - rising.parts * ahead
        variant, instances = min(
            candidates, key=lambda each: self._served[endpoint_name, each[0].name]
        )
        self._served[endpoint_name, variant.name] += 1 / variant.weight
        return instances


def _weighed(variants: Sequence[VariantView]) -> list[VariantView]:
    return [each for each in variants if each.weight]
