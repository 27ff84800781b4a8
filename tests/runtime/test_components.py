"""Inference components: copies of models on endpoints that host them."""

import asyncio
import os
import signal
from dataclasses import replace

import pytest

from parkade.domain.errors import (
    AlreadyExists,
    ComponentNotFound,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    InvalidInput,
    ResourceLimitExceeded,
    Unreadable,
)
from parkade.ports.events import EventQuery
from tests.builders import a_component, a_config, a_model, a_variant
from tests.runtime.premises import alive, an_archive, gone, in_service, running, status, until


async def hosting(home, host, name="falcon"):
    """Have an endpoint in service that hosts components."""
    config = a_config(f"{name}-config", variants=(a_variant(model_name=""),))
    host.create_config(config, "ann")
    host.create_endpoint(name, f"{name}-config", "ann")
    await in_service(host, name)


def model_of(home, name="parrot-model", *, content=None, **environment):
    home.put(f"{name}.tar.gz", content)
    return a_model(
        name,
        image="pytorch-inference",
        data_url=f"s3://models/{name}.tar.gz",
        environment=environment,
    )


def component(home, name="parrot", *, copies=1, model=None):
    return a_component(name, copies=copies, model=model or model_of(home))


def state(host, name="parrot"):
    return str(host.component(name).recorded.status)


async def settled(host, name="parrot"):
    await until(lambda: state(host, name) not in {"Creating", "Updating"})
    assert state(host, name) == "InService", host.component(name).recorded.failure_reason


def copies(host, name="parrot", endpoint="falcon"):
    return host.fleets()[endpoint].components[name].route.instances


def test_an_endpoint_for_components_is_in_service_without_workers(home):
    async def story():
        async with running(home) as host:
            await hosting(home, host)
            view = host.fleets()["falcon"]
            assert (view.components, view.variants[0].instances) == ({}, ())
            assert home.processes() == []
            seen = host.observed()["falcon"]
            assert (seen.healthy, seen.wanted) == (0, 0)

    asyncio.run(story())


@pytest.mark.semantics("states.component")
def test_a_component_is_created_serves_and_is_deleted_without_a_trace(home):
    async def story():
        async with running(home) as host:
            await hosting(home, host)
            host.create_component(component(home, copies=2), "ann")
            assert state(host) == "Creating"
            await settled(host)
            assert len(copies(host)) == host.component("parrot").current_copies == 2
            assert len(host.workers("falcon")) == 2
            assert {view.component_name for view in host.workers("falcon")} == {"parrot"}
            assert host.fleets()["falcon"].components["parrot"].variant_name == "blue"
            assert {worker.component_name for worker in host.instances("falcon")} == {"parrot"}
            host.delete_component("parrot", "ann")
            host.delete_component("parrot", "ann")
            with pytest.raises(EndpointBusy, match="is Deleting"):
                host.update_component(component(home), "ann")
            await until(lambda: "parrot" not in host.components())
            assert home.processes() == []
            assert home.store.components().records == home.store.instances().records == ()
            assert list(home.paths.models.iterdir()) == []
            with pytest.raises(ComponentNotFound):
                host.component("parrot")
        assert home.kinds("component.") == [
            "component.creating",
            "component.in_service",
            "component.deleting",
            "component.deleted",
        ]
        assert {e.endpoint_name for e in home.history.read(EventQuery(kinds=("component.",)))} == {
            "falcon"
        }

    asyncio.run(story())


def test_what_has_no_place_is_refused(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, name="plain")
            await in_service(host, "plain")
            await hosting(home, host)
            wanted = component(home)
            for refused, error, text in (
                (replace(wanted, endpoint_name="nonesuch"), EndpointNotFound, "nonesuch"),
                (replace(wanted, endpoint_name="plain"), InvalidInput, "models of its variants"),
                (replace(wanted, variant_name="green"), InvalidInput, "no variant 'green'"),
                (replace(wanted, copies=0), InvalidInput, "CopyCount 0 is less than 1"),
                (replace(wanted, copies=4), ResourceLimitExceeded, "4 more workers, but 1 of 4"),
                (replace(wanted, model=a_model(image="nginx")), InvalidInput, "'nginx'"),
            ):
                with pytest.raises(error, match=text):
                    host.create_component(refused, "ann")
            assert host.components() == {}
            host.create_component(wanted, "ann")
            with pytest.raises(AlreadyExists):
                host.create_component(wanted, "ann")
            await settled(host)

    home.rules = type(home.rules)(workers=4, patience=home.rules.patience)
    asyncio.run(story())


def test_copies_come_and_go_down_to_none(home):
    async def story():
        async with running(home) as host:
            await hosting(home, host)
            wanted = component(home)
            host.create_component(wanted, "ann")
            await settled(host)
            for count in (3, 1, 0, 2):
                host.update_component(replace(wanted, copies=count), "ann")
                await settled(host)
                assert len(copies(host)) == len(home.processes()) == count
                assert host.component("parrot").recorded.generation == 1

    asyncio.run(story())


def test_another_model_is_brought_up_beside_the_one_that_serves(home):
    async def story():
        async with running(home) as host:
            await hosting(home, host)
            wanted = component(home, copies=2)
            host.create_component(wanted, "ann")
            await settled(host)
            old = [worker.pid for worker in host.instances("falcon")]
            better = model_of(home, "better", content=an_archive(weights="7"))
            host.update_component(replace(wanted, model=better), "ann")
            assert len(copies(host)) == 2
            await settled(host)
            assert not any(alive(pid) for pid in old)
            assert host.component("parrot").recorded.generation == 2
            assert host.component("parrot").recorded.component.model == better
            (release,) = home.releases
            assert len(release[0]["falcon"].components["parrot"].route.instances) == 2
            assert len(list(home.paths.models.iterdir())) == 1
            worse = model_of(home, "worse", content=an_archive(weights="8"), MODE="broken")
            now = [worker.pid for worker in host.instances("falcon")]
            host.update_component(replace(wanted, model=worse), "ann")
            await settled(host)
            recorded = host.component("parrot").recorded
            assert recorded.failure_reason.startswith("better serves on as before: ")
            assert "attention-7" in recorded.failure_reason
            assert [worker.pid for worker in host.instances("falcon")] == now
            assert host.observed()["falcon"].failure_reason == ""

    asyncio.run(story())


@pytest.mark.semantics("states.component")
def test_a_component_that_cannot_start_fails_and_costs_no_other(home):
    async def story():
        async with running(home) as host:
            await hosting(home, host)
            host.create_component(component(home, "good"), "ann")
            bad = model_of(home, "bad-model", MODE="broken")
            host.create_component(component(home, "bad", model=bad), "ann")
            await until(lambda: state(host, "bad") == "Failed")
            await settled(host, "good")
            described = host.component("bad")
            assert described.current_copies == 0
            assert described.recorded.failure_reason.startswith("inference component bad: 3 times")
            with pytest.raises(Conflict, match="can only be deleted"):
                host.update_component(replace(described.recorded.component, copies=2), "ann")
            host.delete_component("bad", "ann")
            await until(lambda: "bad" not in host.components())
            assert status(host) == "InService"
            assert len(home.processes()) == 1

    asyncio.run(story())


def test_components_outlive_their_endpoint_as_records_in_its_way(home):
    async def story():
        async with running(home) as host:
            await hosting(home, host)
            host.create_component(component(home, copies=2), "ann")
            await settled(host)
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            assert home.processes() == []
            assert state(host) == "Failed"
            assert "'falcon' was deleted" in host.component("parrot").recorded.failure_reason
            with pytest.raises(Conflict, match="components of an earlier one are there: parrot"):
                host.create_endpoint("falcon", "falcon-config", "ann")
            # The meter brings an endpoint back as it was.
            host.create_endpoint("falcon", "falcon-config", "meter", revives=True)
            await in_service(host)
            await settled(host)
            assert len(copies(host)) == 2
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            host.delete_component("parrot", "ann")
            await until(lambda: host.components() == {})
            host.create_endpoint("falcon", "falcon-config", "ann")
            await in_service(host)

    asyncio.run(story())


def test_an_endpoint_is_gone_after_its_components_that_are_deleted_meanwhile(home, monkeypatch):
    left = []
    remove = home.store.remove_endpoint

    def noted(name, event):
        left.extend(home.processes())
        remove(name, event)

    monkeypatch.setattr(home.store, "remove_endpoint", noted)

    async def story():
        async with running(home) as host:
            await hosting(home, host)
            host.create_component(component(home), "ann")
            await settled(host)
            (worker,) = host.instances("falcon")
            os.kill(worker.pid, signal.SIGSTOP)
            host.delete_endpoint("falcon", "ann")
            await until(lambda: home.releases)
            host.delete_component("parrot", "ann")
            asyncio.get_running_loop().call_later(0.3, os.kill, worker.pid, signal.SIGCONT)
            await gone(host)
            assert host.components() == {}

    asyncio.run(story())
    assert left == []


def test_an_endpoint_with_components_is_updated_to_a_config_that_has_a_place_for_them(home):
    async def story():
        async with running(home) as host:
            await hosting(home, host)
            host.create_component(component(home), "ann")
            await settled(host)
            before = [worker.pid for worker in host.instances("falcon")]
            for name, variant in (
                ("renamed", a_variant("green", model_name="")),
                ("modelled", home.variant(host, "other")),
            ):
                host.create_config(a_config(name, variants=(variant,)), "ann")
                with pytest.raises(Conflict, match="runs on variant 'blue', which"):
                    host.update_endpoint("falcon", name, "ann")
            variants = (a_variant(model_name=""), a_variant("green", model_name=""))
            host.create_config(a_config("wider", variants=variants), "ann")
            host.update_endpoint("falcon", "wider", "ann")
            await in_service(host)
            assert host.observed()["falcon"].config_name == "wider"
            assert [worker.pid for worker in host.instances("falcon")] == before

    asyncio.run(story())


@pytest.mark.semantics("states.component")
def test_copies_are_adopted_and_what_was_begun_goes_on(home):
    async def story():
        first = home.host()
        await first.start()
        await hosting(home, first)
        wanted = component(home, copies=2)
        first.create_component(wanted, "ann")
        await settled(first)
        old = {worker.pid for worker in first.instances("falcon")}
        better = model_of(home, "better", content=an_archive(weights="7"))
        first.update_component(replace(wanted, model=better, copies=1), "ann")
        await asyncio.sleep(0)
        await first.abandon()
        async with running(home) as host:
            assert state(host) == "Updating"
            assert len(copies(host)) == 2
            await settled(host)
            assert len(copies(host)) == len(home.processes()) == 1
            assert not any(alive(pid) for pid in old)
            (worker,) = host.instances("falcon")
            os.kill(worker.pid, signal.SIGKILL)
            await until(lambda: host.component("parrot").current_copies == 0)
            await until(lambda: host.component("parrot").current_copies == 1)
            assert state(host) == "InService"

    asyncio.run(story())


def test_an_endpoint_that_went_while_nobody_looked_takes_its_components_along(home):
    async def story():
        first = home.host()
        await first.start()
        await hosting(home, first)
        first.create_component(component(home), "ann")
        await settled(first)
        first.delete_endpoint("falcon", "ann")
        await first.abandon()
        async with running(home) as host:
            await gone(host)
            await until(lambda: state(host) == "Failed")
            assert home.processes() == []

    asyncio.run(story())


def test_copies_of_a_component_that_cannot_be_read_are_left_alone(home):
    async def story():
        first = home.host()
        await first.start()
        await hosting(home, first)
        first.create_component(component(home), "ann")
        await settled(first)
        (pid,) = [worker.pid for worker in first.instances("falcon")]
        await first.abandon()
        with home.database.writing() as connection:
            connection.execute("UPDATE components SET content = '{'")
        async with running(home) as host:
            assert alive(pid)
            assert host.components() == {}
            for order in (
                lambda: host.component("parrot"),
                lambda: host.delete_component("parrot", "ann"),
            ):
                with pytest.raises(Unreadable, match="parrot"):
                    order()
            with pytest.raises(AlreadyExists):
                host.create_component(component(home), "ann")
            assert home.kinds("host.") == ["host.unreadable"]
        assert not alive(pid)

    asyncio.run(story())
