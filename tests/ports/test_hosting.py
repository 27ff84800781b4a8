"""The contract of hosting: in memory, on a real host with real workers, and on SageMaker's API of it."""

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.hosting import MemoryHosting
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    ConfigNotFound,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    ResourceLimitExceeded,
    StartFailed,
    Unavailable,
)
from tests.builders import NOW, a_rollout, an_endpoint, minutes
from tests.ports.hostings import hostings

SLEEPERS = ["memory", "embedded"]


@pytest.fixture(params=[*SLEEPERS, "sagemaker"])
def world(request, tmp_path):
    with hostings(request.param, tmp_path) as built:
        yield built


@pytest.fixture(params=SLEEPERS)
def sleeper(request, tmp_path):
    """A world in which what sleeps keeps its name."""
    with hostings(request.param, tmp_path) as built:
        yield built


@pytest.fixture
def sagemaker(tmp_path):
    """A world in which what sleeps is not there."""
    with hostings("sagemaker", tmp_path) as built:
        yield built


def status(world, name="falcon"):
    seen = world.hosting.endpoints().get(name)
    return seen.status if seen else None


def in_service(world, name="falcon"):
    world.hosting.create(name, "config")
    world.settle(name)


def test_a_created_endpoint_is_creating_until_it_is_in_service(world):
    world.hosting.create("falcon", "config")
    seen = world.hosting.endpoints()["falcon"]
    assert (seen.status, seen.config_name, seen.healthy) == ("Creating", "config", 0)
    assert seen.created_at == seen.changed_at == NOW
    world.clock.advance(minutes(1))
    world.settle("falcon")
    seen = world.hosting.endpoints()["falcon"]
    assert (seen.status, seen.healthy, seen.wanted) == ("InService", 1, 1)
    assert (seen.created_at, seen.changed_at) == (NOW, NOW + minutes(1))


def test_endpoints_come_by_name(world):
    for name in ("flan", "falcon"):
        world.hosting.create(name, "config")
    seen = world.hosting.endpoints()
    assert sorted(seen) == ["falcon", "flan"]
    assert all(name == endpoint.name for name, endpoint in seen.items())


def test_creating_what_exists_with_this_config_does_nothing(world):
    world.hosting.create("falcon", "config")
    coming = world.hosting.endpoints()
    world.hosting.create("falcon", "config")
    assert world.hosting.endpoints() == coming
    world.settle("falcon")
    there = world.hosting.endpoints()
    world.hosting.create("falcon", "config")
    assert world.hosting.endpoints() == there


def test_creating_with_an_unknown_config_is_refused(world):
    with pytest.raises(ConfigNotFound, match="nothing"):
        world.hosting.create("falcon", "nothing")
    with pytest.raises(ConfigNotFound, match="nothing"):
        world.hosting.require_config("nothing")
    assert world.hosting.endpoints() == {}
    world.hosting.require_config("config")


def test_creating_what_exists_with_another_config_is_refused(world):
    world.hosting.create("falcon", "config")
    with pytest.raises(AlreadyExists, match="falcon"):
        world.hosting.create("falcon", "other")
    assert world.hosting.endpoints()["falcon"].config_name == "config"


def test_creating_what_is_being_deleted_has_to_wait(world):
    in_service(world)
    world.hosting.delete("falcon")
    for config_name in ("config", "other"):
        with pytest.raises(EndpointBusy, match="falcon"):
            world.hosting.create("falcon", config_name)
    assert status(world) is EndpointStatus.DELETING


def test_a_deleted_endpoint_is_deleting_until_it_is_gone(world):
    in_service(world)
    world.hosting.delete("falcon")
    assert status(world) is EndpointStatus.DELETING
    world.hosting.delete("falcon")
    world.settle("falcon")
    assert world.hosting.endpoints() == {}


def test_what_is_gone_can_be_created_anew_from_another_config(world):
    in_service(world)
    world.hosting.delete("falcon")
    world.settle("falcon")
    world.hosting.create("falcon", "other")
    world.settle("falcon")
    seen = world.hosting.endpoints()["falcon"]
    assert (seen.status, seen.config_name) == ("InService", "other")


def test_deleting_what_is_gone_counts_as_done(world):
    world.hosting.delete("falcon")
    assert world.hosting.endpoints() == {}


def test_a_failed_endpoint_says_why_and_can_be_deleted(world):
    world.hosting.create("falcon", "broken")
    world.settle("falcon")
    seen = world.hosting.endpoints()["falcon"]
    assert (seen.status, seen.healthy) == ("Failed", 0)
    assert seen.failure_reason
    world.hosting.create("falcon", "broken")
    assert status(world) is EndpointStatus.FAILED
    world.hosting.delete("falcon")
    # Nothing of it runs, so that it may be gone already.
    assert status(world) in {EndpointStatus.DELETING, None}
    world.settle("falcon")
    assert world.hosting.endpoints() == {}


@pytest.mark.parametrize("busy", ["Creating", "Updating", "SystemUpdating"])
def test_deleting_a_busy_endpoint_has_to_wait(world, busy):
    world.place("falcon", EndpointStatus(busy))
    with pytest.raises(EndpointBusy, match=busy):
        world.hosting.delete("falcon")
    assert status(world) == busy


def test_deleting_ends_an_update_in_stages(sleeper):
    sleeper.place_staged("falcon")
    assert sleeper.hosting.endpoints()["falcon"].rollout is not None
    sleeper.hosting.delete("falcon")
    assert status(sleeper) in {EndpointStatus.DELETING, None}
    sleeper.settle("falcon")
    assert sleeper.hosting.endpoints() == {}


def test_endpoints_raises_unavailable_while_they_cannot_be_seen(world):
    in_service(world)
    world.hide()
    with pytest.raises(Unavailable):
        world.hosting.endpoints()


def asleep(world):
    in_service(world)
    world.hosting.sleep("falcon")
    world.settle("falcon")


def test_what_is_put_to_sleep_runs_nothing_and_keeps_its_name(sleeper):
    in_service(sleeper)
    sleeper.hosting.sleep("falcon")
    seen = sleeper.hosting.endpoints()["falcon"]
    assert (seen.status, seen.asleep, seen.wanted) == ("Updating", True, 0)
    sleeper.settle("falcon")
    seen = sleeper.hosting.endpoints()["falcon"]
    assert (seen.status, seen.asleep, seen.healthy, seen.wanted) == ("InService", True, 0, 0)
    assert seen.config_name == "config"


def test_what_is_woken_serves_again_and_says_since_when(sleeper):
    asleep(sleeper)
    sleeper.clock.advance(minutes(30))
    sleeper.hosting.wake("falcon")
    seen = sleeper.hosting.endpoints()["falcon"]
    assert (seen.status, seen.asleep, seen.wanted) == ("SystemUpdating", False, 1)
    assert seen.awake_since == sleeper.clock.now()
    sleeper.clock.advance(minutes(1))
    sleeper.settle("falcon")
    seen = sleeper.hosting.endpoints()["falcon"]
    assert (seen.status, seen.asleep, seen.healthy) == ("InService", False, 1)
    assert (seen.created_at, seen.awake_since) == (NOW, NOW + minutes(31))


def test_sleep_and_wake_can_be_repeated(sleeper):
    asleep(sleeper)
    sleeping = sleeper.hosting.endpoints()
    sleeper.hosting.sleep("falcon")
    assert sleeper.hosting.endpoints() == sleeping
    sleeper.hosting.wake("falcon")
    coming = sleeper.hosting.endpoints()
    sleeper.hosting.wake("falcon")
    assert sleeper.hosting.endpoints() == coming
    sleeper.settle("falcon")
    there = sleeper.hosting.endpoints()
    sleeper.hosting.wake("falcon")
    assert sleeper.hosting.endpoints() == there


def test_what_is_gone_cannot_wake_and_need_not_sleep(world):
    world.hosting.sleep("falcon")
    with pytest.raises(EndpointNotFound, match="falcon"):
        world.hosting.wake("falcon")
    assert world.hosting.endpoints() == {}


@pytest.mark.parametrize("busy", ["Creating", "Updating", "SystemUpdating"])
def test_a_busy_endpoint_does_not_fall_asleep(world, busy):
    world.place("falcon", EndpointStatus(busy))
    with pytest.raises(EndpointBusy, match=busy):
        world.hosting.sleep("falcon")
    assert not world.hosting.endpoints()["falcon"].asleep


def test_what_falls_asleep_is_not_woken_before_it_sleeps(sleeper):
    in_service(sleeper)
    sleeper.hosting.sleep("falcon")
    with pytest.raises(EndpointBusy, match="Updating"):
        sleeper.hosting.wake("falcon")


def test_a_failed_endpoint_does_not_sleep(world):
    world.hosting.create("falcon", "broken")
    world.settle("falcon")
    with pytest.raises(Conflict, match="falcon"):
        world.hosting.sleep("falcon")


def test_what_is_asleep_can_be_deleted(sleeper):
    asleep(sleeper)
    sleeper.hosting.delete("falcon")
    sleeper.settle("falcon")
    assert sleeper.hosting.endpoints() == {}


def test_where_nothing_sleeps_it_is_gone_and_wakes_by_being_created(sagemaker):
    in_service(sagemaker)
    sagemaker.tags.put("endpoint", "falcon", {"team": "nlp"})
    sagemaker.hosting.wake("falcon")
    assert status(sagemaker) is EndpointStatus.IN_SERVICE
    sagemaker.hosting.sleep("falcon")
    assert status(sagemaker) is EndpointStatus.DELETING
    with pytest.raises(EndpointBusy, match="Deleting"):
        sagemaker.hosting.wake("falcon")
    sagemaker.hosting.sleep("falcon")
    sagemaker.settle("falcon")
    assert sagemaker.hosting.endpoints() == {}
    with pytest.raises(EndpointNotFound):
        sagemaker.hosting.wake("falcon")
    assert sagemaker.tags.of("endpoint", "falcon") == {"team": "nlp"}
    in_service(sagemaker)
    assert sagemaker.tags.present("endpoint", "falcon") == {"team": "nlp"}


def test_sagemaker_ends_no_update_in_stages_and_keeps_what_was_asked_of_it(sagemaker):
    sagemaker.place_staged("falcon")
    seen = sagemaker.hosting.endpoints()["falcon"]
    assert seen.rollout.strategy == a_rollout().strategy
    assert seen.stoppable
    with pytest.raises(EndpointBusy, match="in-progress"):
        sagemaker.hosting.delete("falcon")
    assert status(sagemaker) is EndpointStatus.UPDATING


def test_on_sagemaker_what_brings_it_back_is_kept_before_it_goes(sagemaker):
    in_service(sagemaker)
    sagemaker.tags.put("endpoint", "falcon", {"team": "nlp"})
    sagemaker.clock.advance(minutes(5))
    sagemaker.hosting.delete("falcon")
    left = sagemaker.remains.get("falcon")
    assert (left.created_at, left.removed_at) == (NOW, NOW + minutes(5))
    assert (left.blueprint.config.name, left.tags) == ("config", {"team": "nlp"})
    assert [each.name for each in left.blueprint.models] == ["config"]


# The one in memory does more as it is told.


@pytest.fixture
def hosting():
    return MemoryHosting(ManualClock(NOW), configs=["config"])


def test_it_refuses_what_it_is_told_to_refuse(hosting):
    hosting.refuse("create", "falcon", ResourceLimitExceeded("64 workers are running"))
    with pytest.raises(ResourceLimitExceeded):
        hosting.create("falcon", "config")
    assert hosting.endpoints() == {}
    hosting.refuse("create", "falcon", None)
    hosting.create("falcon", "config")
    hosting.settle("falcon")
    hosting.refuse("delete", "falcon", StartFailed("no"))
    with pytest.raises(StartFailed):
        hosting.delete("falcon")
    assert hosting.endpoints()["falcon"].status is EndpointStatus.IN_SERVICE
    assert hosting.calls == [("create", "falcon")] * 2 + [("delete", "falcon")]


def test_endpoints_come_and_go_without_us(hosting):
    hosting.place(an_endpoint())
    assert hosting.endpoints()["falcon"].status is EndpointStatus.IN_SERVICE
    hosting.hide(Unavailable("throttled"))
    with pytest.raises(Unavailable):
        hosting.endpoints()
    hosting.hide(None)
    hosting.vanish("falcon")
    assert hosting.endpoints() == {}
