"""What gateways are told, and when."""

import asyncio
from types import SimpleNamespace

import pytest

from parkade.apps.control.publisher import Publisher
from parkade.domain.terms import Terms, Wake
from tests.apps.api.world import World
from tests.builders import minutes, seconds
from tests.money import a_budget


@pytest.fixture
def world():
    """A world with a lease of ann's that is over, and that a request wakes."""
    world = World()
    world.add()
    world.run_endpoint()
    wake = Wake(minutes=minutes(15), at_most=minutes(60))
    world.terms.put(Terms(endpoint_name="falcon", wake=wake), "ann")
    world.clock.advance(minutes(30) + seconds(1))
    world.sweep()
    world.services.settings.time_scale = 1.0
    world.host.observed = dict
    world.host.fleets = dict
    return world


def pushes(world, *steps):
    """What is pushed at first, and after each of the steps."""
    pushed = []

    async def publish():
        server = SimpleNamespace(push=pushed.append)
        publisher = Publisher(world.services, server, 1.0)
        publisher.changed()
        await asyncio.sleep(0)
        for step in steps:
            step()
            publisher.time_passed()
            await asyncio.sleep(0)

    asyncio.run(publish())
    return [each.endpoints["falcon"].down for each in pushed]


def test_a_wake_that_a_budget_refuses_is_looked_at_again_as_time_passes(world):
    world.money.budgets.put(a_budget("0"), actor="root")

    def room():
        world.money.budgets.put(a_budget("9"), actor="root")

    first, second = pushes(world, lambda: None, room)
    assert (first.wakes, first.reason) == (False, "over budget")
    assert (second.wakes, second.reason) == (True, "expired")


def test_where_nothing_is_refused_time_alone_pushes_nothing(world):
    built = []
    terms = world.terms.by_endpoint

    def looked():
        built.append(1)
        return terms()

    world.services.upkeep.terms = SimpleNamespace(by_endpoint=looked)
    [told] = pushes(world, lambda: None, lambda: None)
    assert told.wakes
    assert len(built) == 1
