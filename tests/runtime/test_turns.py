"""Whose turn it is to take an asynchronous request."""

from collections import Counter
from pathlib import Path

import pytest

from parkade.runtime.turns import Turns
from parkade.runtime.views import FleetView, InstanceView, RisingView, VariantView


def a_variant(name, *ids, weight=1.0):
    instances = tuple(
        InstanceView(id=each, addresses=(), variant_name=name, models=Path()) for each in ids
    )
    return VariantView(name=name, weight=weight, instances=instances)


def a_fleet(weight, parts=10):
    rising = RisingView(
        generation=2, weight=weight, parts=parts, variants=(a_variant("main", "new"),)
    )
    return FleetView(variants=(a_variant("main", "old"),), rising=rising if weight else None)


def taken(turns, fleet, count, free=lambda _: True):
    """Return how many of so many turns each instance was given."""
    seen = Counter()
    for _ in range(count):
        seen.update(each.id for each in turns.take("falcon", fleet, free))
    return seen


def test_variants_take_turns_by_their_weights():
    fleet = FleetView(
        variants=(a_variant("a", "1", weight=3), a_variant("b", "2"), a_variant("c", "3", weight=0))
    )
    assert taken(Turns(), fleet, 40) == {"1": 30, "2": 10}


@pytest.mark.semantics("guardrails.staged")
def test_a_new_generation_gets_its_share_and_no_more():
    turns = Turns()
    assert taken(turns, a_fleet(1), 40) == {"old": 36, "new": 4}
    assert taken(turns, a_fleet(5), 10) == {"old": 5, "new": 5}
    assert taken(turns, a_fleet(10), 10) == {"new": 10}
    assert taken(turns, a_fleet(0), 10) == {"old": 10}


@pytest.mark.semantics("guardrails.staged")
def test_a_busy_old_generation_gives_its_turn_to_nobody():
    turns = Turns()
    assert taken(turns, a_fleet(1), 20, free=lambda each: each.id == "new") == {}
    assert taken(turns, a_fleet(1), 10) == {"old": 9, "new": 1}
