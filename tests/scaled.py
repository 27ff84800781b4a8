"""Things to scale, and what the capacity port says of them."""

from parkade.domain.scaling.target import Resource
from parkade.ports.capacity import Readiness, Reading
from tests.builders import NOW, minutes

BLUE = Resource("falcon", "blue")
GREEN = Resource("other", "green")
ADAPTER = Resource("adapter")


def a_reading(resource=BLUE, **changes):
    defaults = {
        "resource": resource,
        "endpoint_name": resource.name,
        "readiness": Readiness.READY,
        "current": 2,
        "desired": 2,
        "changed_at": NOW - minutes(60),
        "awake_since": NOW - minutes(60),
        "floor": 0 if resource.component else 1,
    }
    return Reading(**{**defaults, **changes})


def furnish(world):
    """Have a variant of falcon and one of another, and a component of an endpoint of its own."""
    world.capacity.put(a_reading(BLUE))
    world.capacity.put(a_reading(GREEN))
    world.capacity.put(a_reading(ADAPTER, endpoint_name="parts"))
    return world
