"""The contract of hosting, on the one in memory."""

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.hosting import MemoryHosting
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    ConfigNotFound,
    EndpointBusy,
    ResourceLimitExceeded,
    StartFailed,
    Unavailable,
)
from tests.builders import NOW, an_endpoint, minutes


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
def hosting(clock):
    return MemoryHosting(clock, configs=["config", "other"])


def status(hosting, name="falcon"):
    seen = hosting.endpoints().get(name)
    return seen.status if seen else None


def test_a_created_endpoint_is_creating_until_it_is_in_service(hosting, clock):
    hosting.create("falcon", "config")
    seen = hosting.endpoints()["falcon"]
    assert (seen.status, seen.config_name, seen.healthy) == ("Creating", "config", 0)
    assert seen.created_at == seen.changed_at == NOW
    clock.advance(minutes(1))
    hosting.settle("falcon")
    seen = hosting.endpoints()["falcon"]
    assert (seen.status, seen.healthy, seen.wanted) == ("InService", 1, 1)
    assert (seen.created_at, seen.changed_at) == (NOW, NOW + minutes(1))


def test_creating_what_exists_with_this_config_does_nothing(hosting):
    hosting.create("falcon", "config")
    hosting.settle("falcon")
    before = hosting.endpoints()
    hosting.create("falcon", "config")
    assert hosting.endpoints() == before


def test_creating_with_an_unknown_config_is_refused(hosting):
    with pytest.raises(ConfigNotFound, match="nothing"):
        hosting.create("falcon", "nothing")
    with pytest.raises(ConfigNotFound, match="nothing"):
        hosting.require_config("nothing")
    assert hosting.endpoints() == {}
    hosting.require_config("config")


def test_creating_what_exists_with_another_config_is_refused(hosting):
    hosting.create("falcon", "config")
    with pytest.raises(AlreadyExists, match="falcon"):
        hosting.create("falcon", "other")


def test_creating_what_is_being_deleted_has_to_wait(hosting):
    hosting.create("falcon", "config")
    hosting.settle("falcon")
    hosting.delete("falcon")
    with pytest.raises(EndpointBusy, match="falcon"):
        hosting.create("falcon", "config")


def test_a_deleted_endpoint_is_deleting_until_it_is_gone(hosting):
    hosting.create("falcon", "config")
    hosting.settle("falcon")
    hosting.delete("falcon")
    assert status(hosting) is EndpointStatus.DELETING
    hosting.delete("falcon")
    hosting.settle("falcon")
    assert hosting.endpoints() == {}


def test_deleting_what_is_gone_counts_as_done(hosting):
    hosting.delete("falcon")


def test_a_failed_endpoint_can_be_deleted(hosting):
    hosting.create("falcon", "config")
    hosting.fail("falcon", "no ping")
    assert hosting.endpoints()["falcon"].failure_reason == "no ping"
    hosting.delete("falcon")
    assert status(hosting) is EndpointStatus.DELETING


@pytest.mark.parametrize("busy", ["Creating", "Updating", "SystemUpdating"])
def test_deleting_a_busy_endpoint_has_to_wait(hosting, busy):
    hosting.create("falcon", "config")
    hosting.enter("falcon", EndpointStatus(busy))
    with pytest.raises(EndpointBusy, match=busy):
        hosting.delete("falcon")
    assert status(hosting) == busy


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
    assert status(hosting) is EndpointStatus.IN_SERVICE
    assert hosting.calls == [("create", "falcon")] * 2 + [("delete", "falcon")]


def test_endpoints_raises_unavailable_while_they_cannot_be_seen(hosting):
    hosting.hide(Unavailable("throttled"))
    with pytest.raises(Unavailable):
        hosting.endpoints()
    hosting.hide(None)
    assert hosting.endpoints() == {}


def test_endpoints_come_and_go_without_us(hosting):
    hosting.place(an_endpoint())
    assert status(hosting) is EndpointStatus.IN_SERVICE
    hosting.vanish("falcon")
    assert status(hosting) is None
