"""What is shown of target models to people: where each is loaded, how it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.targets import TargetSetting
from parkade.runtime.tallies import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.runtime.placement import Placement
    from parkade.runtime.shelves import Copy, Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """A target model of a variant that is loaded, was used, or has a setting."""

    target: str
    #: Empty: of all variants; it has a setting and was never loaded.
    variant_name: str
    copies: tuple[Copy, ...]
    tally: Tally
    setting: TargetSetting


def targets(
    placement: Placement, settings: Sequence[TargetSetting], endpoint_name: str
) -> list[TargetView]:
    """Return the endpoint's target models that are known, in the order of names."""
    asked = {each.target: each for each in settings if each.endpoint_name == endpoint_name}
    copies: dict[tuple[str, str], list[Copy]] = {}
    tallies = {
        (target, variant): tally
        for variant, of_variant in placement.tallies.of_endpoint(endpoint_name).items()
        for target, tally in of_variant.items()
    }
    for copy in placement.copies():
        if copy.place.endpoint_name == endpoint_name:
            copies.setdefault((copy.target, copy.place.variant_name), []).append(copy)
    known = copies.keys() | tallies.keys()
    known |= {(target, "") for target in asked.keys() - {target for target, _ in known}}
    return [
        TargetView(
            target=target,
            variant_name=variant,
            copies=tuple(copies.get((target, variant), ())),
            tally=tallies.get((target, variant)) or Tally(),
            setting=asked.get(target) or TargetSetting(endpoint_name=endpoint_name, target=target),
        )
        for target, variant in sorted(known)
    ]


def shelves(placement: Placement, endpoint_name: str) -> list[Shelf]:
    """Return the endpoint's instances that load target models, in the order of their ids."""
    found = [each for each in placement.shelves() if each.place.endpoint_name == endpoint_name]
    return sorted(found, key=lambda shelf: shelf.place.instance_id)


def nothing(endpoint_name: str, target: str) -> TargetView:
    """Return what is known of a target model that nobody has asked for."""
    return TargetView(
        target=target,
        variant_name="",
        copies=(),
        tally=Tally(),
        setting=TargetSetting(endpoint_name=endpoint_name, target=target),
    )
