"""The contract of capacity: in memory, on a real host with real workers, and on SageMaker's API of it."""

import pytest

from parkade.domain.errors import (
    ComponentNotFound,
    EndpointBusy,
    EndpointNotFound,
    InvalidInput,
    ResourceLimitExceeded,
)
from parkade.domain.scaling.target import Resource
from parkade.ports.capacity import Readiness
from tests.ports.capacities import BUSY, COPIES, LATE, capacities


@pytest.fixture(params=["memory", "embedded", "sagemaker"])
def world(request, tmp_path):
    with capacities(request.param, tmp_path) as built:
        yield built


def counts(world, resource):
    reading = world.capacity.read(resource)
    return reading.current, reading.desired


def test_what_there_is_is_told(world):
    readings = world.capacity.all()
    assert set(readings) == {BUSY.id, LATE.id, COPIES.id}
    for resource, endpoint_name, floor in (
        (BUSY, "busy", 1),
        (LATE, "late", 0),
        (COPIES, "host", 0),
    ):
        reading = world.capacity.read(resource)
        assert reading == readings[resource.id]
        assert (reading.resource, reading.endpoint_name) == (resource, endpoint_name)
        assert (reading.readiness, reading.why) == (Readiness.READY, "")
        assert (reading.current, reading.desired, reading.floor) == (1, 1, floor)
        assert reading.awake_since is not None


@pytest.mark.parametrize(
    ("resource", "error"),
    [
        (Resource("none", "blue"), EndpointNotFound),
        (Resource("busy", "none"), InvalidInput),
        (Resource("none"), ComponentNotFound),
    ],
)
def test_what_is_not_there_is_missed_by_name(world, resource, error):
    with pytest.raises(error, match="none"):
        world.capacity.read(resource)
    with pytest.raises(error, match="none"):
        world.capacity.set({resource: 2}, "ann")


@pytest.mark.parametrize("resource", [BUSY, COPIES])
def test_what_is_set_is_on_its_way_and_arrives(world, resource):
    world.capacity.set({resource: 2}, "ann")
    reading = world.capacity.read(resource)
    assert reading.readiness is Readiness.CHANGING
    assert reading.why
    with pytest.raises(EndpointBusy):
        world.capacity.set({resource: 1}, "ann")
    world.settle()
    assert counts(world, resource) == (2, 2)
    assert world.capacity.read(resource).readiness is Readiness.READY
    assert world.capacity.read(resource).why == ""


@pytest.mark.semantics("async.to_zero", "scaling.component_zero")
@pytest.mark.parametrize("resource", [LATE, COPIES])
def test_those_that_may_have_none_go_to_zero_and_back(world, resource):
    for count in (0, 1):
        world.capacity.set({resource: count}, "ann")
        world.settle()
        assert counts(world, resource) == (count, count)


@pytest.mark.semantics("scaling.bounds")
def test_a_variant_that_answers_at_once_has_one_instance_at_least(world):
    with pytest.raises(InvalidInput) as refused:
        world.capacity.set({BUSY: 0}, "ann")
    assert refused.value.field == "DesiredInstanceCount"
    assert counts(world, BUSY) == (1, 1)


def test_more_than_there_is_room_for_is_refused_and_changes_nothing(world):
    with pytest.raises(ResourceLimitExceeded):
        world.capacity.set({BUSY: 4}, "ann")
    assert counts(world, BUSY) == (1, 1)
    assert world.capacity.read(BUSY).readiness is Readiness.READY
