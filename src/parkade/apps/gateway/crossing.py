"""Which generation of an endpoint the next request goes to while one takes over from the other.

Shares are counted in whole parts: of any number of requests the rising generation gets its share of
them, rounded down, and these are spread evenly. What only one of them can take goes there
and is not counted. A caller who gets the same variant each time gets the same generation, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.assignment import crosses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parkade.apps import link
    from parkade.apps.gateway.variants import Variant


class Crossing:
    """Draws between the variants of two generations: `weight` of `parts` requests for the rising."""

    __slots__ = ("_credit", "generation", "parts", "weight")

    def __init__(self, generation: int, weight: int, parts: int) -> None:
        self.generation = generation
        self.weight = weight
        self.parts = parts
        self._credit = 0

    def update(self, weight: int, parts: int) -> None:
        """Take up another share; what the rising generation is owed of the former one stays."""
        self._credit = self._credit * parts // self.parts
        self.weight, self.parts = weight, parts

    def own_side(self, caller: str, usable: list[Variant]) -> list[Variant]:
        """Return those of the caller's generation; who has gone over does not come back.

        The share is one of callers rather than of requests, and is not counted.
        """
        rising = [each for each in usable if each.generation == self.generation]
        if not rising or len(rising) == len(usable):
            return usable
        if crosses(caller, f"generation {self.generation}", self.weight / self.parts):
            return rising
        return [each for each in usable if each.generation != self.generation]

    def side(self, usable: list[Variant]) -> list[Variant]:
        """Return those of the generation whose turn it is, of the one where all are of one."""
        rising = [each for each in usable if each.generation == self.generation]
        if not rising or len(rising) == len(usable):
            return usable
        self._credit += self.weight
        if self._credit >= self.parts:
            self._credit -= self.parts
            return rising
        return [each for each in usable if each.generation != self.generation]


def crossed(
    view: link.EndpointView,
    former: Crossing | None,
    serving: Iterable[Variant],
    rising: Iterable[Variant],
) -> Crossing | None:
    """Return the crossing that the view asks for, and tell the variants what is left to each."""
    wanted = view.rising
    if wanted is None:
        for variant in serving:
            variant.generation, variant.rises, variant.share = 0, False, 1.0
        return None
    crossing = former
    if crossing is None or crossing.generation != wanted.generation:
        crossing = Crossing(wanted.generation, wanted.weight, wanted.parts)
    crossing.update(wanted.weight, wanted.parts)
    left = (wanted.parts - wanted.weight) / wanted.parts
    for variant in serving:
        variant.generation, variant.rises, variant.share = view.generation, False, left
    for variant in rising:
        variant.generation, variant.rises, variant.share = wanted.generation, True, 1 - left
    return crossing
