"""What people do with leases."""

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest

from parkade.adapters.memory.leases import MemoryLeaseBook
from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.leases import SqliteLeaseBook
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    ConfigNotFound,
    Conflict,
    EndpointBusy,
    InvalidInput,
    LeaseNotFound,
    Unavailable,
    Unreadable,
    VersionConflict,
)
from parkade.domain.lease import EndReason
from tests.builders import NOW, an_endpoint, minutes
from tests.house import PATIENCE
from tests.services.world import World


def test_a_lease_is_added_with_its_event():
    world = World()
    lease = world.add(amount=30)
    assert world.meter.get("falcon") == lease
    assert world.meter.all().leases == (lease,)
    assert (lease.expires_at, lease.owner, lease.version) == (NOW + minutes(30), "ann", 1)
    (event,) = world.events("falcon")
    assert (event.kind, event.actor, event.at) == ("lease.added", "ann", NOW)
    assert event.data["minutes"] == 30
    assert event.data["expires_at"] == "2026-03-01T12:30:00Z"
    assert world.nudges == 1


def test_minutes_left_out_are_the_initial_ones():
    world = World(initial=minutes(7))
    lease = world.meter.add("falcon", "falcon-config", amount=None, owner="ann", actor="bob")
    assert lease.time_left(NOW) == minutes(7)


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"endpoint_name": "a_b"}, InvalidInput, "EndpointName"),
        ({"config_name": "a_b"}, InvalidInput, "EndpointConfigName"),
        ({"owner": "a b"}, InvalidInput, "owner"),
        ({"owner": "meter"}, InvalidInput, "owner"),
        ({"amount": minutes(0)}, InvalidInput, "minutes"),
        ({"amount": minutes(8 * 24 * 60)}, InvalidInput, "minutes"),
        ({"key": ""}, InvalidInput, "Idempotency-Key"),
        ({"key": "k" * 256}, InvalidInput, "Idempotency-Key"),
        ({"config_name": "unknown"}, ConfigNotFound, None),
    ],
)
def test_what_cannot_be_added_leaves_nothing_behind(changes, error, field):
    world = World()
    asked = {
        "endpoint_name": "falcon",
        "config_name": "falcon-config",
        "amount": minutes(30),
        "owner": "ann",
        "actor": "ann",
    }
    with pytest.raises(error) as refusal:
        world.meter.add(**{**asked, **changes})
    assert getattr(refusal.value, "field", None) == field
    assert (world.meter.all().leases, world.events(), world.nudges) == ((), [], 0)


def test_a_name_is_leased_once():
    world = World()
    world.add()
    with pytest.raises(AlreadyExists) as refusal:
        world.add()
    assert "parkade extend falcon" in refusal.value.hint


def test_an_extension_tells_its_numbers():
    world = World()
    world.add(amount=30)
    lease = world.meter.extend("falcon", minutes(10), actor="bob")
    assert lease.expires_at == NOW + minutes(40)
    event = world.events("falcon")[-1]
    assert (event.kind, event.actor) == ("lease.extended", "bob")
    assert event.data == {
        "minutes": 10,
        "expires_before": "2026-03-01T12:30:00Z",
        "expires_at": "2026-03-01T12:40:00Z",
    }


def test_an_extension_of_one_that_is_over_counts_from_now():
    world = World()
    world.add(amount=30)
    world.clock.advance(minutes(60))
    lease = world.meter.extend("falcon", minutes(10), actor="ann")
    assert lease.expires_at == NOW + minutes(70)
    assert "after it was over (expired)" in world.events("falcon")[-1].reason


def test_what_is_not_there_cannot_be_extended_started_stopped_or_removed():
    world = World()
    for ask in (
        lambda: world.meter.extend("falcon", minutes(1), actor="ann"),
        lambda: world.meter.start("falcon", amount=None, actor="ann"),
        lambda: world.meter.stop("falcon", actor="ann"),
        lambda: world.meter.remove("falcon", actor="ann"),
        lambda: world.meter.get("falcon"),
    ):
        with pytest.raises(LeaseNotFound):
            ask()


def test_what_cannot_be_read_is_not_written_over():
    world = World()
    world.book.damage("falcon", "expires_at is not an instant")
    for ask in (
        world.add,
        lambda: world.meter.extend("falcon", minutes(1), actor="ann"),
        lambda: world.meter.remove("falcon", actor="ann"),
    ):
        with pytest.raises(Unreadable):
            ask()
    assert world.hosting.calls == []


def buy(world, **changes):
    asked = {"config_name": None, "amount": minutes(10), "owner": "ann", "actor": "ann"}
    return world.meter.buy("falcon", **{**asked, **changes})


def test_buying_extends_what_is_known():
    world = World()
    world.add(amount=30)
    assert buy(world).expires_at == NOW + minutes(40)
    assert buy(world, config_name="falcon-config").expires_at == NOW + minutes(50)


def test_buying_with_a_config_adds_what_is_not_known():
    world = World()
    assert buy(world, config_name="falcon-config").expires_at == NOW + minutes(10)
    assert world.kinds() == ["lease.added"]


def test_buying_without_minutes_adds_the_initial_ones_and_extends_nothing():
    world = World()
    lease = buy(world, config_name="falcon-config", amount=None)
    assert lease.time_left(NOW) == minutes(30)
    with pytest.raises(InvalidInput) as refusal:
        buy(world, amount=None)
    assert refusal.value.field == "minutes"


def test_buying_the_unknown_without_a_config_finds_nothing():
    with pytest.raises(LeaseNotFound) as refusal:
        buy(World())
    assert "parkade add falcon" in refusal.value.hint


def test_buying_for_another_config_says_how_to_change_it():
    world = World()
    world.add()
    with pytest.raises(Conflict) as refusal:
        buy(world, config_name="flan-config")
    assert "parkade remove falcon" in refusal.value.hint
    assert "--config flan-config" in refusal.value.hint


def test_a_key_makes_a_repeated_extension_count_once():
    world = World()
    world.add(amount=30)
    first = world.meter.extend("falcon", minutes(10), actor="ann", key="k1")
    world.meter.extend("falcon", minutes(5), actor="ann", key="k2")
    assert world.meter.extend("falcon", minutes(10), actor="ann", key="k1") == first
    assert world.meter.get("falcon").expires_at == NOW + minutes(45)
    assert world.nudges == 3


def test_a_key_makes_a_repeated_creation_count_once():
    world = World()
    first = buy(world, config_name="falcon-config", key="k1")
    assert buy(world, config_name="falcon-config", key="k1") == first
    assert world.kinds() == ["lease.added"]

    asked = {"amount": minutes(5), "owner": "ann", "actor": "ann", "key": "k1"}
    added = world.meter.add("flan", "flan-config", **asked)
    assert world.meter.add("flan", "flan-config", **asked) == added


def test_keys_of_different_callers_do_not_collide():
    world = World()
    world.add(amount=30)
    world.meter.extend("falcon", minutes(10), actor="ann", key="k1")
    world.meter.extend("falcon", minutes(10), actor="bob", key="k1")
    assert world.meter.get("falcon").expires_at == NOW + minutes(50)


def test_a_key_used_again_for_something_else_is_refused():
    world = World()
    world.add(amount=30)
    world.meter.extend("falcon", minutes(10), actor="ann", key="k1")
    with pytest.raises(Conflict, match="k1"):
        world.meter.extend("falcon", minutes(20), actor="ann", key="k1")
    assert world.meter.get("falcon").expires_at == NOW + minutes(40)


def test_a_stopped_lease_gives_its_minutes_up():
    world = World()
    world.add(amount=30)
    world.clock.advance(minutes(10))
    lease = world.meter.stop("falcon", actor="bob")
    assert (lease.ended, lease.expires_at) == (EndReason.STOPPED, NOW + minutes(10))
    event = world.events("falcon")[-1]
    assert (event.kind, event.actor) == ("lease.ended", "bob")
    assert event.data["minutes_given_up"] == 20
    assert event.data["expires_before"] == "2026-03-01T12:30:00Z"


def test_stopping_what_is_over_changes_nothing():
    world = World()
    world.add(amount=30)
    world.clock.advance(minutes(30))
    lease = world.meter.stop("falcon", actor="bob")
    assert lease.ended is None
    assert world.kinds() == ["lease.added"]
    assert world.nudges == 1


def test_a_stopped_lease_is_started_again():
    world = World()
    world.add(amount=30)
    world.meter.stop("falcon", actor="ann")
    lease = world.meter.start("falcon", amount=None, actor="ann")
    assert (lease.ended, lease.expires_at) == (None, NOW + minutes(30))
    assert world.kinds()[-1] == "lease.started"
    world.clock.advance(minutes(60))
    assert world.meter.start("falcon", amount=minutes(5), actor="ann").expires_at == NOW + minutes(
        65
    )


def test_a_running_lease_is_extended_rather_than_started():
    world = World()
    world.add()
    with pytest.raises(Conflict) as refusal:
        world.meter.start("falcon", amount=None, actor="ann")
    assert "parkade extend falcon" in refusal.value.hint


def test_starting_with_no_time_is_refused():
    world = World()
    world.add(amount=1)
    world.clock.advance(minutes(1))
    with pytest.raises(InvalidInput):
        world.meter.start("falcon", amount=minutes(0), actor="ann")


@pytest.mark.parametrize("over", [False, True])
def test_removing_deletes_the_endpoint_and_then_the_lease(over):
    world = World()
    world.running(amount=30)
    if over:
        world.clock.advance(minutes(60))
    world.meter.remove("falcon", actor="ann")
    assert world.status() is EndpointStatus.DELETING
    assert world.meter.all().leases == ()
    assert world.kinds()[-1] == "lease.removed"
    world.rest()
    assert world.status() is None
    assert world.notices.told == []


def test_removing_a_lease_without_an_endpoint():
    world = World()
    world.add()
    world.meter.remove("falcon", actor="ann")
    assert world.kinds() == ["lease.added", "lease.ended", "lease.removed"]
    assert world.hosting.calls == []


def test_a_busy_endpoint_is_not_removed_but_its_lease_is_over():
    world = World()
    world.add()
    world.sweep.run()
    with pytest.raises(EndpointBusy) as refusal:
        world.meter.remove("falcon", actor="ann")
    assert "parkade remove falcon" in refusal.value.hint
    assert world.meter.get("falcon").ended is EndReason.STOPPED
    world.hosting.settle("falcon")
    world.sweep.run()
    assert world.status() is EndpointStatus.DELETING
    world.meter.remove("falcon", actor="ann")
    assert world.meter.all().leases == ()


def test_a_removal_that_hosting_cannot_do_is_repeated():
    world = World()
    world.running()
    world.hosting.hide(Unavailable("no route to hosting"))
    with pytest.raises(Unavailable):
        world.meter.remove("falcon", actor="ann")
    world.hosting.hide(None)
    assert world.meter.get("falcon").ended is EndReason.STOPPED
    world.meter.remove("falcon", actor="ann")
    assert world.meter.all().leases == ()


def test_a_name_that_was_removed_can_be_leased_for_another_config():
    world = World()
    world.running()
    world.meter.remove("falcon", actor="ann")
    world.add(config="flan-config")
    world.rest()
    assert world.hosting.endpoints()["falcon"].config_name == "flan-config"


class Together:
    """A book in which the first look of every thread is over before anybody writes."""

    def __init__(self, book, threads):
        self._book = book
        self._looked = threading.Barrier(threads)
        self._first = threading.local()

    def spent(self, coin):
        found = self._book.spent(coin)
        self._wait()
        return found

    def get(self, endpoint_name):
        lease = self._book.get(endpoint_name)
        if not self._first.__dict__.get("keyed"):
            self._wait()
        return lease

    def keyed(self):
        """Let this thread wait at its look for the coin, rather than at the one for the lease."""
        self._first.keyed = True

    def _wait(self):
        if not self._first.__dict__.get("over"):
            self._first.over = True
            self._looked.wait()

    def __getattr__(self, name):
        return getattr(self._book, name)


@pytest.fixture(params=["memory", "sqlite"])
def shared(request, tmp_path):
    """A world whose lease book is the one named, with a lease of 30 minutes in it."""
    world = World()
    with ExitStack() as opened:
        if request.param == "sqlite":
            database = opened.enter_context(closing(Database(tmp_path / "parkade.db")))
            world.book = SqliteLeaseBook(database)
            world.meter = world.a_meter()
        world.add(amount=30)
        yield world


def test_invariant_3_a_hundred_extensions_at_once_add_a_hundred_minutes(shared):
    meter = shared.a_meter(book=Together(shared.book, 100))

    def extend(_):
        return meter.extend("falcon", minutes(1), actor="ann")

    with ThreadPoolExecutor(100) as pool:
        leases = list(pool.map(extend, range(100)))
    assert shared.book.get("falcon").expires_at == NOW + minutes(130)
    assert {lease.expires_at for lease in leases} == {NOW + minutes(31 + n) for n in range(100)}


def extend_25_times(path):
    """What one of several processes does."""
    # SQLite lets those who wait for its lock in by no turn.
    with closing(Database(path, busy_timeout=PATIENCE)) as database:
        meter = World().a_meter(book=SqliteLeaseBook(database))
        for _ in range(25):
            meter.extend("falcon", minutes(1), actor="ann")


def test_invariant_3_extensions_by_several_processes_all_count(tmp_path):
    path = tmp_path / "parkade.db"
    with closing(Database(path)) as database:
        world = World()
        meter = world.a_meter(book=SqliteLeaseBook(database))
        meter.add("falcon", "falcon-config", amount=minutes(30), owner="ann", actor="ann")
        with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
            list(pool.map(extend_25_times, [path] * 4))
        assert meter.get("falcon").expires_at == NOW + minutes(130)


def test_invariant_3_retries_of_one_key_at_once_count_once(shared):
    book = Together(shared.book, 20)
    meter = shared.a_meter(book=book)

    def extend(_):
        book.keyed()
        return meter.extend("falcon", minutes(10), actor="ann", key="k1")

    with ThreadPoolExecutor(20) as pool:
        leases = set(pool.map(extend, range(20)))
    assert {lease.expires_at for lease in leases} == {NOW + minutes(40)}
    assert shared.book.get("falcon").expires_at == NOW + minutes(40)


class Raced(MemoryLeaseBook):
    """A book in which another writer comes first, as often as told."""

    def __init__(self, history, races):
        super().__init__(history)
        self.races = races

    def put(self, lease, event, *, coin=None, purse=None):
        if lease.version and self.races:
            self.races -= 1
            current = self.get(lease.endpoint_name)
            longer = replace(current, expires_at=current.expires_at + minutes(1))
            super().put(longer, event)
        return super().put(lease, event, coin=coin, purse=purse)


def test_a_lost_race_is_decided_anew():
    world = World()
    meter = world.a_meter(book=Raced(world.history, 3))
    meter.add("falcon", "falcon-config", amount=minutes(30), owner="ann", actor="ann")
    assert meter.extend("falcon", minutes(10), actor="ann").expires_at == NOW + minutes(43)


def test_a_race_that_is_always_lost_is_told():
    world = World()
    book = Raced(world.history, 10_000)
    meter = world.a_meter(book=book)
    meter.add("falcon", "falcon-config", amount=minutes(30), owner="ann", actor="ann")
    with pytest.raises(VersionConflict):
        meter.extend("falcon", minutes(10), actor="ann")
    assert book.races == 10_000 - 100


def test_an_endpoint_that_was_there_before_its_lease_is_taken_on():
    world = World()
    world.hosting.place(an_endpoint())
    world.add()
    assert world.sweep.run().done == ()
    assert world.hosting.calls == []
