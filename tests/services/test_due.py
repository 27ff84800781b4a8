"""A sweep that reads the leases that are due decides as one that reads them all."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from parkade.domain.actions import ActionKind
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.lease import EndReason
from parkade.domain.terms import Booking, Keep, Sleep, Terms, Wake
from parkade.domain.watching import Watched
from parkade.services.deciding import Deciding
from tests.builders import NOW, a_lease, an_endpoint, an_event, minutes, some_opting
from tests.domain import strategies as drawn
from tests.services.world import World

#: Tags that opt in, with timers that can be used, and with one that cannot.
TAGS = (
    {"auto-maintain": "true", "auto-maintain.delete-after": "1h"},
    {"auto-maintain": "true", "auto-maintain.window": "soon"},
)
KNOWN = ("tags", "watch", "booking", "terms")
SETTLED = (
    {"schedule": "mon-sun 00:00-23:59 UTC"},
    {"keep": Keep(by=minutes(10), when_left=minutes(5), at_most=minutes(60))},
    {"sleep": Sleep(after=minutes(10))},
    {"wake": Wake(minutes=minutes(10), at_most=minutes(30))},
    {"maintain": True},
)


class EveryLease:
    """A book of which every lease is due."""

    def __init__(self, book):
        self._book = book

    def due(self, _):
        return self._book.all()

    def of(self, names):
        assert not {each.endpoint_name for each in self._book.all().leases} & set(names)
        return self._book.of(names)


@st.composite
def worlds(draw):
    """A world with leases, endpoints, and everything that can be settled about them."""
    shape, world = draw(drawn.worlds()), World()
    world.clock.set(max(NOW, shape["now"]))
    world.rules = replace(shape["rules"], adopts=draw(st.booleans()))
    for lease in shape["leases"]:
        world.book.put(replace(lease, version=0), an_event())
    for name, seen in shape["endpoints"].items():
        world.hosting.place(seen)
        world.usage.told[name] = draw(drawn.uses())
    world.opting = some_opting(watched=draw(st.sampled_from([Watched.TAGGED, Watched.ALL])))
    # Each must be enough by itself.
    known = {name: draw(st.sets(st.sampled_from(KNOWN), max_size=2)) for name in drawn.NAMES}
    for name in drawn.NAMES:
        if "tags" in known[name]:
            world.catalog.put_tags("endpoint", name, draw(st.sampled_from(TAGS)))
        if "watch" in known[name]:
            begun = shape["endpoints"].get(name)
            watch = draw(drawn.watches(name, begun and begun.created_at))
            world.watches.put(watch, None, before=None)
        if "booking" in known[name]:
            booking = Booking(
                id=f"b-{name}",
                endpoint_name=name,
                config_name="falcon-config",
                owner="ann",
                starts_at=draw(drawn.instants),
                ends_at=NOW + minutes(10_000),
                made_at=NOW,
            )
            world.booking_store.add(booking, an_event(), beside=frozenset())
    for lease in shape["leases"]:
        if "terms" in known[lease.endpoint_name]:
            terms = Terms(endpoint_name=lease.endpoint_name, **draw(st.sampled_from(SETTLED)))
            world.terms_store.put(terms, an_event())
    for name in shape["unreadable"]:
        world.book.damage(name, "it is torn")
    return world


def decide(world, book):
    around = world.surroundings()
    deciding = Deciding(book, around, clock=world.clock, rules=lambda: world.rules)
    return deciding.decide(world.hosting.endpoints)


def told(decision):
    """Every action but that nothing is done about a closed lease."""
    return [
        action
        for action in decision.plan.actions
        if not (action.kind is ActionKind.NOTHING and action.lease and action.lease.ended)
    ]


@settings(max_examples=300)
@given(worlds())
def test_the_plan_over_what_is_due_acts_as_the_plan_over_all(world):
    due, every = decide(world, world.book), decide(world, EveryLease(world.book))
    assert told(due) == told(every)
    assert due.plan.next_at == every.plan.next_at
    assert due.around.changes == every.around.changes


def test_what_was_closed_and_of_which_nothing_is_known_is_not_read():
    world = World()
    over = {"ended": EndReason.EXPIRED, "ended_at": NOW, "expires_at": NOW}
    for name in ("long-gone", "still-there", "tagged"):
        world.book.put(a_lease(endpoint_name=name, **over), an_event())
    world.hosting.place(an_endpoint(name="still-there"))
    world.tag("tagged")
    assert {each.endpoint_name for each in decide(world, world.book).plan.actions} == {
        "still-there",
        "tagged",
    }


class Meanwhile:
    """A book in which somebody acts once the leases that are due were read."""

    def __init__(self, book, act):
        self._book = book
        self._act = act

    def due(self, names):
        shelf = self._book.due(names)
        self._act()
        return shelf

    def __getattr__(self, name):
        return getattr(self._book, name)


def test_a_lease_that_is_paid_for_while_a_sweep_looks_is_the_next_sweeps():
    world = World()
    world.running()
    world.meter.stop("falcon", actor="ann")
    book = Meanwhile(world.book, lambda: world.meter.extend("falcon", minutes(9), actor="ann"))
    decision = decide(world, book)
    assert (decision.plan.actions, decision.around.changes) == ((), ())
    assert [each.kind for each in decide(world, world.book).plan.actions] == [ActionKind.NOTHING]


def test_what_is_removed_while_a_sweep_looks_is_not_adopted():
    world = World(adopts=True)
    world.running()
    world.meter.stop("falcon", actor="ann")

    class Removing(Meanwhile):
        """Its lease and endpoint go once the endpoints were seen."""

        def due(self, names):
            return self._book.due(names)

        def of(self, names):
            self._act()
            return self._book.of(names)

    sweep = world.a_sweep(
        book=Removing(world.book, lambda: world.meter.remove("falcon", actor="ann"))
    )
    assert sweep.run().done == ()
    assert world.book.all().leases == ()
    assert world.status() is EndpointStatus.DELETING
