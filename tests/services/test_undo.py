"""Undo: what was stopped or deleted comes back as it was, by one command, for a week."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    BudgetExceeded,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
)
from parkade.domain.terms import Terms
from parkade.services.meter import Meter
from parkade.services.terms import TermsBook
from parkade.services.undo import Undo
from tests.builders import (
    NOW,
    a_blueprint,
    a_config,
    a_model,
    a_recorded_endpoint,
    an_endpoint,
    an_event,
    minutes,
)
from tests.services.faults import Crash, Fault
from tests.services.world import World

TAGS = {"auto-maintain": "true", "team": "birds"}


class Recording:
    """Hosting that leaves remains in the catalog, as the embedded host does."""

    def __init__(self, world):
        self._world = world
        self._hosting = world.hosting

    def __getattr__(self, name):
        return getattr(self._hosting, name)

    def delete(self, endpoint_name):
        leave(self._world, endpoint_name)
        self._hosting.delete(endpoint_name)


def leave(world, name="falcon"):
    seen = world.hosting.endpoints().get(name)
    if seen is None:
        return
    blueprint = a_blueprint(a_config(seen.config_name))
    going = a_recorded_endpoint(
        name,
        status=EndpointStatus.DELETING,
        created_at=seen.created_at,
        changed_at=world.clock.now(),
        blueprint=blueprint,
    )
    world.catalog.put_endpoint(going, an_event("endpoint.deleting", at=world.clock.now()))
    world.catalog.remove_endpoint(name, an_event("endpoint.deleted"))


def a_world(*, leased=True):
    """A world with `falcon` in service since NOW, tagged, on ten hours."""
    world = World()
    world.catalog.add_model(a_model(), an_event())
    world.catalog.add_config(a_config(), an_event())
    world.hosting = Recording(world)
    world.meter, world.sweep = world.a_meter(), world.a_sweep()
    if leased:
        world.running(amount=600)
    else:
        world.hosting.place(an_endpoint())
    world.catalog.put_tags("endpoint", "falcon", TAGS)
    world.clock.advance(minutes(60))
    return world


def stop(world):
    world.meter.stop("falcon", actor="ann")


def remove(world):
    world.meter.remove("falcon", actor="ann")


def delete_by_sagemaker(world):
    """End the lease, delete, and forget the tags, as its API does."""
    world.meter.stop("falcon", actor="ann")
    world.hosting.delete("falcon")
    world.catalog.put_tags("endpoint", "falcon", {})


def idle(world):
    world.sweep.run()
    world.sweep_at(world.clock.now() + minutes(15))


def idle_and_removed(world):
    tags = {**TAGS, "auto-maintain.delete-after": "1m"}
    world.catalog.put_tags("endpoint", "falcon", tags)
    idle(world)
    world.settle_all()
    world.clock.advance(minutes(1))
    world.sweep.run()
    assert world.book.all().leases == ()


@pytest.mark.parametrize("end", [stop, remove, delete_by_sagemaker, idle, idle_and_removed])
def test_whatever_ended_it_it_comes_back_with_its_tags_and_the_time_that_was_given_up(end):
    world = a_world()
    end(world)
    world.rest()
    assert world.status() is None
    left = world.events("falcon", "lease.ended")[-1].data["minutes_given_up"]
    found = world.undo().undo("falcon", actor="bob")
    world.rest()
    assert world.status() is EndpointStatus.IN_SERVICE
    lease = world.book.get("falcon")
    assert (lease.owner, lease.config_name) == ("ann", "falcon-config")
    assert lease.expires_at - world.clock.now() == minutes(left) == found.time
    assert world.catalog.tags("endpoint", "falcon").items() >= TAGS.items()
    assert world.events("falcon", "lease.restored")[0].actor == "bob"
    assert world.events("falcon", "endpoint.restored")[0].data["config_name"] == "falcon-config"


def test_one_without_a_lease_comes_back_without_one():
    world = a_world(leased=False)
    idle(world)
    world.settle_all()
    found = world.undo().undo("falcon", actor="bob")
    assert found.time is None
    assert world.status() is EndpointStatus.CREATING
    assert world.book.all().leases == ()
    assert world.catalog.tags("endpoint", "falcon") == TAGS


def test_config_and_models_that_were_deleted_meanwhile_are_made_again():
    world = a_world()
    remove(world)
    world.rest()
    world.catalog.remove_config("falcon-config", an_event())
    world.catalog.remove_model("falcon-model", an_event())
    world.undo().undo("falcon", actor="bob")
    assert world.catalog.config("falcon-config") == a_config()
    assert world.catalog.model("falcon-model") == a_model()


@pytest.mark.parametrize("kind", ["config", "model"])
def test_another_config_or_model_of_the_name_is_in_its_way_and_nothing_is_changed(kind):
    world = a_world()
    remove(world)
    world.rest()
    world.catalog.remove_config("falcon-config", an_event())
    if kind == "config":
        anew = replace(a_config(), created_at=world.clock.now())
        world.catalog.add_config(anew, an_event())
    else:
        world.catalog.remove_model("falcon-model", an_event())
        world.catalog.add_model(a_model(created_at=world.clock.now()), an_event())
    before = world.events()
    with pytest.raises(Conflict, match="was made anew since"):
        world.undo().undo("falcon", actor="bob")
    assert world.events() == before


def test_terms_come_back_with_the_lease():
    world = a_world()
    world.terms.put(Terms(endpoint_name="falcon", maintain=False), "ann")
    remove(world)
    world.rest()
    assert world.terms.get("falcon") is None
    world.undo().undo("falcon", actor="bob")
    assert world.terms.get("falcon").maintain is False


def undo_until_killed(world, fault):
    """Undo with every port under the fault, as a process that it may end; then once more."""
    names = ("book", "hosting", "clock")
    meter = world.a_meter(**{name: fault.wrap(name, getattr(world, name)) for name in names})
    killed = Undo(
        remains=fault.wrap("remains", world.remains),
        catalog=fault.wrap("catalog", world.catalog),
        meter=meter,
        hosting=fault.wrap("hosting", world.hosting),
        history=fault.wrap("history", world.history),
        terms=TermsBook(fault.wrap("terms", world.terms_store), book=world.book, clock=world.clock),
        clock=world.clock,
        kept=lambda: timedelta(days=7),
        leases_only=lambda: False,
        changed=world.nudge,
    )
    try:
        killed.undo("falcon", actor="ann")
    except Crash:
        world.rest()
        with suppress(Conflict):  # it was at its end
            world.undo().undo("falcon", actor="ann")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("end", [stop, remove, idle_and_removed])
def test_invariant_5_an_undo_that_is_killed_at_any_step_is_finished_by_the_next(end, after):
    def gone():
        world = a_world()
        world.terms.put(Terms(endpoint_name="falcon", schedule="mon 09:00-10:00 UTC"), "ann")
        end(world)
        world.settle_all()
        world.rest()
        return world

    undisturbed = Fault()
    world = gone()
    undo_until_killed(world, undisturbed)
    until = world.book.get("falcon").expires_at
    assert len(undisturbed.calls) > 10
    for step, name in enumerate(undisturbed.calls):
        world = gone()
        undo_until_killed(world, Fault(step, Crash(name), after=after))
        world.rest()
        assert world.status() is EndpointStatus.IN_SERVICE
        assert world.book.get("falcon").expires_at == until, f"after {step} {name}"
        assert world.terms.get("falcon").schedule == "mon 09:00-10:00 UTC", f"{step} {name}"
        assert world.catalog.tags("endpoint", "falcon")["team"] == "birds"
        assert world.kinds().count("lease.restored") == 1
        assert world.kinds().count("endpoint.restored") == 1, f"after {step} {name}"


def test_terms_that_stayed_with_a_stopped_lease_stay_as_they_are():
    world = a_world()
    world.terms.put(Terms(endpoint_name="falcon", maintain=False), "ann")
    stop(world)
    world.rest()
    before = world.terms.get("falcon")
    world.undo().undo("falcon", actor="bob")
    assert world.terms.get("falcon") == before


def test_what_runs_cannot_be_undone_and_neither_can_what_was():
    world = a_world()
    with pytest.raises(Conflict, match="there is nothing to undo"):
        world.undo().undo("falcon", actor="bob")
    stop(world)
    world.rest()
    world.undo().undo("falcon", actor="bob")
    with pytest.raises(Conflict, match="its lease has 9 h left"):
        world.undo().undo("falcon", actor="bob")
    unleased = a_world(leased=False)
    with pytest.raises(Conflict, match="it is InService"):
        unleased.undo().undo("falcon", actor="bob")


def test_a_lease_that_ran_out_has_nothing_to_give_back():
    world = a_world()
    world.clock.advance(minutes(600))
    world.rest()
    with pytest.raises(Conflict) as caught:
        world.undo().undo("falcon", actor="bob")
    assert caught.value.hint == "parkade extend falcon --minutes 30"
    remove(world)
    with pytest.raises(Conflict) as caught:
        world.undo().undo("falcon", actor="bob")
    assert caught.value.hint == "parkade add falcon --config falcon-config --minutes 30"


def test_an_older_end_is_not_given_back_for_a_later_one():
    world = a_world()
    stop(world)
    world.rest()
    world.meter.start("falcon", amount=minutes(10), actor="ann")
    world.rest()
    world.clock.advance(minutes(10))
    world.rest()
    remove(world)
    with pytest.raises(Conflict, match="had run out"):
        world.undo().undo("falcon", actor="bob")


def test_an_older_end_is_not_given_back_for_a_lease_that_nobody_has_closed_yet():
    world = a_world()
    stop(world)
    world.rest()
    world.meter.extend("falcon", minutes(10), actor="ann")
    world.rest()
    world.clock.advance(minutes(10))
    with pytest.raises(Conflict, match="had run out"):
        world.undo().undo("falcon", actor="ann")


def test_what_never_was_or_was_too_long_ago_is_not_known():
    world = a_world()
    with pytest.raises(EndpointNotFound, match="within the last 7 d"):
        world.undo().undo("ant", actor="bob")
    stop(world)
    world.rest()
    world.clock.advance(timedelta(days=7))
    assert world.undo().all()
    world.clock.advance(timedelta(seconds=1))
    with pytest.raises(EndpointNotFound):
        world.undo().undo("falcon", actor="bob")
    assert world.undo().all() == ()
    world.undo().forget()
    assert world.remains.get("falcon") is None


def test_one_that_is_still_being_deleted_comes_back_once_it_is_gone():
    world = a_world()
    stop(world)
    world.sweep.run()
    assert world.status() is EndpointStatus.DELETING
    world.undo().undo("falcon", actor="bob")
    world.rest()
    assert world.status() is EndpointStatus.IN_SERVICE
    unleased = a_world(leased=False)
    idle(unleased)
    with pytest.raises(EndpointBusy, match="still being deleted"):
        unleased.undo().undo("falcon", actor="bob")


def test_where_nothing_runs_without_a_lease_it_does_not_come_back_without_one():
    world = a_world(leased=False)
    idle(world)
    world.settle_all()
    with pytest.raises(Conflict, match="had no lease"):
        world.undo(leases_only=True).undo("falcon", actor="bob")


def test_no_more_is_given_back_than_a_lease_can_have():
    world = a_world()
    stop(world)
    world.rest()
    world.rules = replace(world.rules, max_ahead=minutes(30))
    world.undo().undo("falcon", actor="bob")
    assert world.book.get("falcon").time_left(world.clock.now()) == minutes(30)


def test_a_budget_that_refuses_is_told():
    world = a_world()
    stop(world)
    world.rest()

    def admit(lease, held, now):
        raise BudgetExceeded("the budget of ann is used up", until=None)

    world.meter = Meter(
        book=world.book,
        hosting=world.hosting,
        clock=world.clock,
        rules=lambda: world.rules,
        changed=world.nudge,
        admit=admit,
    )
    with pytest.raises(BudgetExceeded):
        world.undo().undo("falcon", actor="bob")
    assert world.book.get("falcon").ended is not None


def test_the_list_has_what_can_be_brought_back_and_until_when():
    world = a_world()
    assert world.undo().all() == ()
    stop(world)
    world.rest()
    [found] = world.undo().all()
    assert found.remains.endpoint_name == "falcon"
    assert found.until == NOW + minutes(60) + timedelta(days=7)
    assert found.owner == "ann"
