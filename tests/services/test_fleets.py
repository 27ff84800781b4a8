"""Fleets of an endpoint, and what each costs."""

from decimal import Decimal

from parkade.adapters.memory.machines import MemoryMachines
from parkade.adapters.memory.prices import MemoryPriceLists
from parkade.services.fleets import Fleets
from parkade.services.prices import Prices
from tests.money import UNPRICED, a_price_list, an_instance


def fleets_of(*instances):
    machines = MemoryMachines()
    machines.instances = list(instances)
    lists = MemoryPriceLists([a_price_list()])
    return Fleets(machines, Prices(lists, region=lambda: "us-east-1", own=dict))


def test_both_fleets_of_an_update_are_told_apart_with_their_price():
    old = {"config_name": "old", "generation": 3}
    new = {"config_name": "new", "generation": 4, "instance_type": "ml.c5.xlarge"}
    fleets = fleets_of(
        an_instance("n-1", **new),
        an_instance("o-1", **old),
        an_instance("o-2", **old),
        an_instance("x-1", endpoint_name="flan", config_name="old", generation=3),
    ).of("falcon")
    assert [(each.config_name, each.generation) for each in fleets] == [("old", 3), ("new", 4)]
    assert [[m.noun for m in each.machines] for each in fleets] == [
        ["2 x ml.g5.xlarge"],
        ["1 x ml.c5.xlarge"],
    ]
    assert [each.hourly.usd for each in fleets] == [Decimal("1.20"), Decimal("0.204")]


def test_variants_are_machines_of_their_own_and_what_has_no_price_is_named():
    (fleet,) = fleets_of(
        an_instance("b-1"),
        an_instance("g-1", variant_name="green", instance_type=UNPRICED),
    ).of("falcon")
    assert [each.variant_name for each in fleet.machines] == ["blue", "green"]
    assert fleet.hourly.usd == Decimal("0.60")
    assert fleet.hourly.unpriced == {UNPRICED}


def test_where_nothing_runs_there_are_none():
    assert fleets_of().of("falcon") == ()
