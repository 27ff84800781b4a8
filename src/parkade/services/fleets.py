"""The fleets of an endpoint and what each costs: while it is updated there are two."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.price import Machine, Sum

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parkade.domain.cost import Instance
    from parkade.ports.machines import Machines
    from parkade.services.prices import Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The instances of an endpoint that one endpoint config brought up."""

    #: The later of two fleets has the higher number.
    generation: int
    #: Empty where it is not known.
    config_name: str
    machines: tuple[Machine, ...]
    #: What all of them cost an hour.
    hourly: Sum


class Fleets:
    """Tells which instances there are, those that start or stop included, and their price."""

    def __init__(self, machines: Machines, prices: Prices) -> None:
        self._machines = machines
        self._prices = prices

    def of(self, endpoint_name: str) -> tuple[Fleet, ...]:
        """Return the fleets of an endpoint, the oldest first; none where nothing runs.

        Raises Unavailable where not all can be seen.
        """
        found: dict[tuple[int, str], list[Instance]] = defaultdict(list)
        for each in self._machines.present():
            if each.endpoint_name == endpoint_name:
                found[each.generation, each.config_name].append(each)
        return tuple(
            self._fleet(generation, config_name, instances)
            for (generation, config_name), instances in sorted(found.items())
        )

    def hourly(self) -> Mapping[str, Sum]:
        """Return what an hour costs of each endpoint of which something runs.

        Raises Unavailable where not all can be seen.
        """
        found: dict[str, list[Instance]] = defaultdict(list)
        for each in self._machines.present():
            found[each.endpoint_name].append(each)
        return {name: self._fleet(0, "", present).hourly for name, present in found.items()}

    def _fleet(self, generation: int, config_name: str, instances: Iterable[Instance]) -> Fleet:
        alike = Counter(
            (each.variant_name, each.instance_type, each.serverless) for each in instances
        )
        machines = tuple(
            Machine(variant_name=name, instance_type=kind, count=count, serverless=serverless)
            for (name, kind, serverless), count in sorted(alike.items())
        )
        return Fleet(
            generation=generation,
            config_name=config_name,
            machines=machines,
            hourly=self._prices.hourly(machines),
        )
