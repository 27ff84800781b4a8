"""The contract of hosting, on the embedded host with real workers."""

import asyncio

import pytest

from parkade.adapters.embedded.hosting import EmbeddedHosting
from parkade.domain.errors import (
    AlreadyExists,
    ConfigNotFound,
    EndpointBusy,
    ResourceLimitExceeded,
    Unavailable,
)
from parkade.domain.event import METER
from parkade.ports.events import EventQuery
from tests.builders import a_config, a_variant
from tests.runtime.premises import Home, gone, in_service, running


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    yield home
    home.close()


def test_endpoints_come_into_service_and_go_as_the_meter_asks(home):
    async def story():
        async with running(home) as host:
            hosting = EmbeddedHosting(host)
            home.deploy(host)
            hosting.require_config("falcon-config")
            before = hosting.endpoints()
            assert before["falcon"].status == "Creating"
            hosting.create("falcon", "falcon-config")
            assert hosting.endpoints() == before
            with pytest.raises(EndpointBusy):
                hosting.delete("falcon")
            await in_service(host)
            hosting.delete("falcon")
            hosting.delete("falcon")
            assert hosting.endpoints()["falcon"].status == "Deleting"
            with pytest.raises(EndpointBusy):
                hosting.create("falcon", "falcon-config")
            await gone(host)
            hosting.delete("falcon")
            assert hosting.endpoints() == {}
            hosting.create("falcon", "falcon-config")
            await in_service(host)
        creating = home.history.read(EventQuery(kinds=("endpoint.creating",)))
        assert [event.actor for event in creating] == ["ann", METER]

    asyncio.run(story())


def test_what_cannot_be_created_is_refused(home):
    async def story():
        async with running(home) as host:
            hosting = EmbeddedHosting(host)
            home.deploy(host)
            host.create_config(
                a_config("other", variants=(a_variant(model_name="falcon-model"),)), "ann"
            )
            host.create_config(
                a_config(
                    "large", variants=(a_variant(model_name="falcon-model", instance_count=64),)
                ),
                "ann",
            )
            with pytest.raises(AlreadyExists):
                hosting.create("falcon", "other")
            with pytest.raises(ResourceLimitExceeded):
                hosting.create("flan", "large")
            with pytest.raises(ConfigNotFound):
                hosting.create("flan", "nonesuch")
            with pytest.raises(ConfigNotFound):
                hosting.require_config("nonesuch")
            assert list(hosting.endpoints()) == ["falcon"]

    asyncio.run(story())


def test_a_host_that_has_not_started_is_unavailable_rather_than_empty(home):
    with pytest.raises(Unavailable):
        EmbeddedHosting(home.host()).endpoints()
