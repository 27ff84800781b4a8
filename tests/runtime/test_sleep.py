"""Endpoints that sleep and wake on a host, with real workers."""

import asyncio
import threading
from dataclasses import replace

import pytest

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import Conflict, EndpointBusy, EndpointNotFound, ResourceLimitExceeded
from parkade.ports.events import EventQuery
from parkade.runtime.modeldata import ModelData
from tests.builders import a_component, a_config, a_model, a_variant
from tests.runtime.premises import (
    alive,
    an_archive,
    gone,
    in_service,
    pids,
    running,
    status,
    until,
)


async def asleep(host, name="falcon"):
    """Put it to sleep; return once it is."""
    host.sleep_endpoint(name, "ann")
    await until(lambda: host.observed()[name].asleep and status(host, name) == "InService")


async def hosting(home, host, *, copies=2):
    """Have an endpoint in service that hosts a component of so many copies."""
    host.create_config(a_config("falcon-config", variants=(a_variant(model_name=""),)), "ann")
    host.create_endpoint("falcon", "falcon-config", "ann")
    await in_service(host)
    home.put("parrot.tar.gz")
    model = a_model("parrot-model", image="pytorch-inference", data_url="s3://models/parrot.tar.gz")
    component = a_component("parrot", copies=copies, model=model)
    host.create_component(component, "ann")
    await until(lambda: component_status(host) == "InService")
    return component


def component_status(host, name="parrot"):
    return str(host.component(name).recorded.status)


def told(home, kind):
    """Return the last event of the kind."""
    return home.history.latest(EventQuery(kinds=(kind,), limit=1))[0]


def test_what_sleeps_has_no_process_and_keeps_its_data(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, instances=2)
            await in_service(host)
            before = pids(host)
            host.sleep_endpoint("falcon", "ann")
            assert status(host) == "Updating"
            await asleep(host)
            assert home.processes() == []
            assert not any(alive(pid) for pid in before)
            assert host.instances("falcon") == ()
            assert home.store.instances().records == ()
            assert list(home.paths.models.iterdir()) != []
            seen = host.observed()["falcon"]
            assert (seen.healthy, seen.wanted) == (0, 0)
        assert home.kinds("endpoint.")[-2:] == ["endpoint.updating", "endpoint.asleep"]

    asyncio.run(story())


def test_what_is_woken_is_as_it_was_and_tells_how_long_that_took(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, instances=2)
            await in_service(host)
            await asleep(host)
            host.wake_endpoint("falcon", "ann")
            assert status(host) == "SystemUpdating"
            await in_service(host)
            assert len(host.workers("falcon")) == 2
            assert host.observed()["falcon"].generation == 1
        assert home.kinds("endpoint.")[-3:] == [
            "endpoint.asleep",
            "endpoint.waking",
            "endpoint.awake",
        ]
        change = told(home, "endpoint.awake").data["change"]
        assert (change["status_before"], change["status"]) == ("SystemUpdating", "InService")

    asyncio.run(story())


def test_gateways_let_go_of_what_falls_asleep_before_it_ends(home):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            await asleep(host)
            fleets, processes = home.releases[-1]
            assert fleets["falcon"].variants[0].instances == ()
            assert processes == 1

    asyncio.run(story())


def test_what_sleeps_takes_no_room_and_needs_some_to_wake(home):
    home.rules = replace(home.rules, workers=1)

    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            await asleep(host)
            home.deploy(host, name="flan")
            await in_service(host, "flan")
            with pytest.raises(ResourceLimitExceeded, match="'falcon', which is asleep, needs 1"):
                host.wake_endpoint("falcon", "ann")
            assert host.observed()["falcon"].asleep
            host.delete_endpoint("flan", "ann")
            await gone(host, "flan")
            host.wake_endpoint("falcon", "ann")
            await in_service(host)

    asyncio.run(story())


def test_what_cannot_wake_has_failed_and_says_why(home):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            await asleep(host)
            for folder in home.paths.models.iterdir():
                (folder / "mode").write_text("broken")
            host.wake_endpoint("falcon", "ann")
            await until(lambda: status(host) == "Failed")
            seen = host.observed()["falcon"]
            assert seen.failure_reason
            assert not seen.asleep
            with pytest.raises(Conflict, match="Failed"):
                host.sleep_endpoint("falcon", "ann")

    asyncio.run(story())


def test_counts_and_weights_are_taken_up_asleep_and_brought_up_awake(home):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            await asleep(host)
            host.reweigh("falcon", {"blue": 2}, {"blue": 0.5}, "ann")
            assert status(host) == "InService"
            assert home.processes() == []
            host.wake_endpoint("falcon", "ann")
            await in_service(host)
            assert len(host.workers("falcon")) == 2
            assert host.fleets()["falcon"].variants[0].weight == 0.5

    asyncio.run(story())


def test_what_sleeps_is_not_updated_and_says_what_to_do(home):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            other = home.configure(host, "flan")
            await in_service(host)
            await asleep(host)
            with pytest.raises(Conflict, match="asleep and cannot be updated") as refused:
                host.update_endpoint("falcon", other, "ann")
            assert refused.value.hint == "wake it first: parkade wake falcon"
            with pytest.raises(EndpointNotFound):
                host.sleep_endpoint("nonesuch", "ann")

    asyncio.run(story())


@pytest.mark.semantics("states.system_updating")
def test_what_wakes_is_on_its_way_and_left_alone_until_it_serves(home):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            other = home.configure(host, "flan")
            await in_service(host)
            await asleep(host)
            host.wake_endpoint("falcon", "ann")
            for order in (
                lambda: host.delete_endpoint("falcon", "ann"),
                lambda: host.update_endpoint("falcon", other, "ann"),
                lambda: host.reweigh("falcon", {"blue": 2}, {}, "ann"),
                lambda: host.sleep_endpoint("falcon", "ann"),
            ):
                with pytest.raises(EndpointBusy, match="is SystemUpdating"):
                    order()
            await in_service(host)
            host.delete_endpoint("falcon", "ann")

    asyncio.run(story())


def test_components_sleep_and_wake_with_their_endpoint(home):
    async def story():
        async with running(home) as host:
            await hosting(home, host)
            await asleep(host)
            assert home.processes() == []
            assert component_status(host) == "InService"
            assert host.component("parrot").current_copies == 0
            assert not host.observed()["falcon"].changing
            host.wake_endpoint("falcon", "ann")
            assert component_status(host) == "Creating"
            await in_service(host)
            # What is woken is awake once its components are.
            assert component_status(host) == "InService"
            assert host.component("parrot").current_copies == 2

    asyncio.run(story())


def test_a_component_on_its_way_keeps_its_endpoint_awake(home):
    async def story():
        async with running(home) as host:
            component = await hosting(home, host, copies=1)
            host.update_component(replace(component, copies=2), "ann")
            assert host.observed()["falcon"].changing
            with pytest.raises(EndpointBusy, match="parrot"):
                host.sleep_endpoint("falcon", "ann")
            await until(lambda: component_status(host) == "InService")
            await asleep(host)

    asyncio.run(story())


def test_copies_are_changed_asleep_and_models_are_not(home):
    async def story():
        async with running(home) as host:
            component = await hosting(home, host, copies=1)
            await asleep(host)
            host.update_component(replace(component, copies=2), "ann")
            assert home.processes() == []
            other = a_model(
                "other", image="pytorch-inference", data_url="s3://models/parrot.tar.gz"
            )
            with pytest.raises(Conflict, match="'falcon' is asleep"):
                host.update_component(replace(component, model=other), "ann")
            with pytest.raises(Conflict, match="asleep and cannot be given components"):
                host.create_component(replace(component, name="second"), "ann")
            host.wake_endpoint("falcon", "ann")
            await in_service(host)
            assert host.component("parrot").current_copies == 2

    asyncio.run(story())


def test_what_sleeps_is_deleted_without_a_trace(home):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            await asleep(host)
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            assert list(home.paths.models.iterdir()) == []
            assert home.store.endpoints().records == ()

    asyncio.run(story())


def test_what_is_deleted_while_it_is_looked_whether_its_data_is_here_leaves_none(home, monkeypatch):
    """A host that comes back looks what it might start; it fetches nothing for what is going."""
    seen, go_on = threading.Event(), threading.Event()
    has = ModelData.has

    def slowly(self, *urls):
        found = has(self, *urls)
        seen.set()
        assert go_on.wait(60)
        return found

    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            await asleep(host)
        monkeypatch.setattr(ModelData, "has", slowly)
        async with running(home) as host:
            await until(seen.is_set)
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            go_on.set()
            home.deploy(host, name="flan", content=an_archive(weights="other"))
            await in_service(host, "flan")
            assert len(list(home.paths.models.iterdir())) == 1

    asyncio.run(story())


@pytest.mark.parametrize("hosts_components", [False, True])
def test_a_host_that_comes_back_lets_what_sleeps_sleep(home, hosts_components):
    async def story():
        async with running(home) as host:
            await (hosting(home, host) if hosts_components else _plain(home, host))
            await asleep(host)
        events = len(home.kinds())
        async with running(home) as host:
            assert host.observed()["falcon"].asleep
            assert status(host) == "InService"
            assert home.processes() == []
            # It is looked at again after whatever the host set out on.
            host.wake_endpoint("falcon", "ann")
            await in_service(host)
            assert len(host.workers("falcon")) == 2
        assert home.kinds()[events] == "endpoint.waking"

    asyncio.run(story())


@pytest.mark.parametrize("hosts_components", [False, True])
def test_a_host_killed_while_one_falls_asleep_is_made_up_for(home, hosts_components):
    async def story():
        async def never():
            await asyncio.Event().wait()

        home.on_release = never  # gateways never let go: its workers run on
        host = home.host()
        await host.start()
        await (hosting(home, host) if hosts_components else _plain(home, host))
        host.sleep_endpoint("falcon", "ann")
        await until(lambda: home.releases)
        await host.abandon()
        assert len(home.processes()) == 2
        home.on_release = _at_once
        async with running(home) as host:
            await until(lambda: status(host) == "InService")
            await until(lambda: home.processes() == [])
            assert host.observed()["falcon"].asleep
            host.wake_endpoint("falcon", "ann")
            await in_service(host)
            assert len(host.workers("falcon")) == 2

    asyncio.run(story())


def test_components_that_were_not_told_before_the_kill_leave_all_the_same(home):
    async def story():
        host = home.host()
        await host.start()
        await hosting(home, host)
        await host.abandon()
        stored = home.store.endpoint("falcon")
        marked = replace(stored, status=EndpointStatus.UPDATING, asleep_since=home.clock.now())
        home.store.put_endpoint(
            marked, host._premises.event("test.marked", "falcon", "by the test")
        )
        async with running(home) as host:
            await until(lambda: home.processes() == [] and component_status(host) == "InService")
            await until(lambda: status(host) == "InService")
            assert host.component("parrot").current_copies == 0

    asyncio.run(story())


def test_a_host_killed_while_one_wakes_goes_on_with_it(home):
    async def story():
        host = home.host()
        await host.start()
        await _plain(home, host)
        await asleep(host)
        host.wake_endpoint("falcon", "ann")
        await host.abandon()
        async with running(home) as host:
            await in_service(host)
            assert len(host.workers("falcon")) == 2
        assert home.kinds("endpoint.")[-1] == "endpoint.awake"

    asyncio.run(story())


async def _plain(home, host):
    home.deploy(host, instances=2)
    await in_service(host)


async def _at_once():
    """Let go at once."""
