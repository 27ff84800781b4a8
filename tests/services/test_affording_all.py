"""Whether wakes are paid for, asked of many leases at one instant."""

from parkade.domain.errors import BudgetExceeded, Unavailable
from parkade.domain.terms import Terms, Wake
from parkade.services.affording import Affording
from tests.builders import minutes, some_rules
from tests.services.test_budgets import World

NAMES = ("emu", "falcon", "kiwi")
WAKE = Wake(minutes=minutes(15), at_most=minutes(60))


def a_world():
    """A world where ann's leases are over, and requests wake them; bob's still runs."""
    world = World()
    world.add("parrot", 120, owner="bob")
    for name in NAMES:
        world.add(name, 30)
    world.clock.advance(minutes(31))
    world.sweep.run()
    affording = Affording(
        clock=world.clock,
        rules=some_rules,
        admit=world.budgets.admit,
        at_once=lambda: world.budgets.at_once().admit,
    )
    return world, affording


def refused(refusal, world):
    """Why each wake is not paid for."""
    leases = world.book.all().leases
    found = {}
    for lease in leases:
        terms = Terms(endpoint_name=lease.endpoint_name, wake=WAKE)
        error = refusal(lease, terms)
        found[lease.endpoint_name] = None if error is None else (type(error), error.message)
    return found


def test_at_once_the_answers_are_those_of_one_after_the_other():
    world, affording = a_world()
    assert set(refused(affording.at_once(), world).values()) == {None}
    for owner in ("ann", "bob"):
        world.budget("0.14", owner=owner)  # a wake is fifteen minutes, a cent each
    one_by_one = refused(affording.refusal, world)
    assert refused(affording.at_once(), world) == one_by_one
    assert {name: each and each[0] for name, each in one_by_one.items()} == {
        "parrot": None,
        **dict.fromkeys(NAMES, BudgetExceeded),
    }
    world.budget("0.15")
    assert set(refused(affording.at_once(), world).values()) == {None}


def test_at_once_leases_are_read_once_and_anew_for_the_next_look(monkeypatch):
    world, affording = a_world()
    world.budget("100")
    readings = []
    read = world.book.all
    monkeypatch.setattr(world.book, "all", lambda: readings.append(1) or read())
    leases = read().leases
    for look in (1, 2):
        refusal = affording.at_once()
        for lease in leases:
            assert refusal(lease, Terms(endpoint_name=lease.endpoint_name, wake=WAKE)) is None
        assert len(readings) == look


def test_where_leases_cannot_be_read_no_time_is_paid_for(monkeypatch):
    world, affording = a_world()
    world.budget("100")
    refusal = affording.at_once()
    (lease, *_) = (each for each in world.book.all().leases if each.endpoint_name in NAMES)

    def away():
        raise Unavailable("the disk is away")

    monkeypatch.setattr(world.book, "all", away)
    error = refusal(lease, Terms(endpoint_name=lease.endpoint_name, wake=WAKE))
    assert error.message == "the disk is away"
