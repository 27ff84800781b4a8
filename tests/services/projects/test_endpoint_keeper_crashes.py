"""A keeper whose process goes between any two calls: the same errand, done again, comes to its end."""

from contextlib import suppress

import pytest

from parkade.domain.errors import EndpointBusy
from parkade.services.projects.endpointconfigs import Configs
from parkade.services.projects.endpoints import EndpointKeeper
from tests.builders import minutes
from tests.services.deployworld import a_variant_of
from tests.services.faults import Crash, Fault
from tests.services.keeperworld import NAME, SCALED, KeeperWorld, an_endpoint

GREEN = {"productionVariants": [a_variant_of(ModelName="green")]}
WAKE = {"minutes": 10, "at_most_minutes": 60}


def created(_world):
    return an_endpoint(minutes=45, wake=WAKE)


def changed(world):
    world.apply(an_endpoint(minutes=45))
    return an_endpoint(minutes=45, wake=WAKE, tags={"a": "b"}, **GREEN)


def beside(world):
    world.apply(an_endpoint(minutes=45))
    return an_endpoint(minutes=45, wake=WAKE, tags={"a": "b"}, scaling={"AllTraffic": SCALED})


def over(world):
    world.apply(an_endpoint(minutes=45, scaling={"AllTraffic": SCALED}))
    world.expire()
    return an_endpoint(minutes=45, wake=WAKE, tags={"a": "b"}, **GREEN)


def made_ready(_world):
    return an_endpoint(deploy=False)


def made_ready_anew(world):
    world.apply(an_endpoint(deploy=False))
    return an_endpoint(deploy=False, **GREEN)


def keeper(world, fault):
    """The keeper of this world, with every port that it changes something by under the fault."""
    desk = world.a_desk(
        **{
            name: fault.wrap(name, getattr(world, name))
            for name in ("provisioner", "meter", "terms", "scaling")
        },
        bookings=fault.wrap("bookings", world.booking_store),
    )
    deployer = fault.wrap("deployer", world.a_deployer())
    return EndpointKeeper(
        desk,
        deployer,
        Configs(desk, fault.wrap("catalog", world.catalog)),
        None,
        prices=world.money.prices,
        opting=lambda: world.opting,
        applied=lambda _: None,
    )


def struck(scenario, act, **fault):
    """Prepare a world, and have the act go on under a fault; return the world and its calls."""
    world = KeeperWorld()
    part = scenario(world)
    errand = world.errand()
    faults = Fault(error=Crash(), **fault)
    # A call that raises of itself has no end to go after: nothing happens then.
    with suppress(Crash):
        act(world, keeper(world, faults), part, errand)
    return world, part, errand, faults.calls


def put(world, kept, part, errand):
    kept.put(part, errand)
    world.sweep.run()
    for deployment in world.deployments.running().records:
        world.finish(deployment, arrive=lambda: world.arrive(NAME))
    kept.progress(part, errand)


def remove(world, kept, part, errand):
    for _ in range(10):
        try:
            kept.remove(part.name, errand)
        except EndpointBusy:
            world.sweep.run()
            world.arrive(NAME)
        else:
            return
    raise AssertionError("it never goes")


def standing(world):
    """What there is in the end, whatever names it has."""
    lease = world.book.all().leases
    return (
        world.endpoints.found(NAME),
        len(world.configs_of()),
        [(each.owner, each.expires_at) for each in lease],
        len(world.deployments.all().records),
    )


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "scenario",
    [created, changed, beside, over, made_ready, made_ready_anew],
    ids=lambda s: s.__name__,
)
def test_what_is_put_again_comes_to_the_same_end(scenario, after):
    whole, _, _, calls = struck(scenario, put)
    expected = standing(whole)
    assert len(calls) > 3
    for number in range(len(calls)):
        world, part, errand, _ = struck(scenario, put, at=number, after=after)
        put(world, world.endpoints, part, errand)
        world.rest()
        where = f"{'after' if after else 'before'} {calls[number]}, {number}"
        assert standing(world) == expected, where
        assert world.differs(part) == [], where


def removed(world):
    world.apply(an_endpoint(scaling={"AllTraffic": SCALED}, wake=WAKE))
    return an_endpoint()


def removed_when_over(world):
    world.apply(an_endpoint(minutes=30))
    world.expire()
    world.apply(an_endpoint(minutes=30, **GREEN))
    return an_endpoint()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "scenario", [removed, removed_when_over, made_ready_anew], ids=lambda s: s.__name__
)
def test_what_is_removed_again_is_gone(scenario, after):
    *_, calls = struck(scenario, remove)
    for number in range(len(calls)):
        world, part, errand, _ = struck(scenario, remove, at=number, after=after)
        remove(world, world.endpoints, part, errand)
        where = f"{'after' if after else 'before'} {calls[number]}, {number}"
        assert standing(world)[:3] == (None, 0, []), where
        assert world.scaling.targets().records == (), where
        world.clock.advance(minutes(60))
        world.sweep.run()
        assert world.status(NAME) is None, where
