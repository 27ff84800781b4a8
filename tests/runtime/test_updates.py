"""An endpoint that is updated, scaled and reweighed while it serves."""

import asyncio
import os
import signal
from datetime import timedelta

import pytest

from parkade.domain.blueprint import Retained
from parkade.domain.catalog import Capture
from parkade.domain.errors import (
    AlreadyExists,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    InUse,
    InvalidInput,
    ResourceLimitExceeded,
)
from tests.builders import a_config
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


def serving(host, name="falcon"):
    """Return how many instances each variant has that serve."""
    return {v.name: len(v.instances) for v in host.fleets()[name].variants}


def weights(host, name="falcon"):
    return {v.name: v.weight for v in host.fleets()[name].variants}


async def deployed(home, host, **options):
    home.deploy(host, **options)
    await in_service(host)
    return pids(host)


@pytest.mark.semantics("states.blue_green")
def test_an_update_brings_up_the_new_before_it_lets_go_of_the_old(home):
    async def story():
        async with running(home) as host:
            old = await deployed(home, host, instances=2)
            config = home.configure(host, "next", instances=3)
            host.update_endpoint("falcon", config, "bob")
            assert status(host) == "Updating"
            seen = host.observed()["falcon"]
            assert (seen.config_name, seen.target_config_name) == ("falcon-config", config)
            assert serving(host) == {"blue": 2}
            assert set(old) <= set(pids(host))
            await in_service(host)
            seen = host.observed()["falcon"]
            assert (seen.config_name, seen.generation, seen.target_config_name) == (config, 2, "")
            assert (seen.healthy, seen.wanted) == (3, 3)
            assert not any(alive(pid) for pid in old)
            assert len(home.processes()) == 3
            # When the old ones were let go of, requests went to the new ones, all of them.
            ((fleets, processes),) = home.releases
            assert len(fleets["falcon"].variants[0].instances) == 3
            assert processes == 5
            assert {record.generation for record in home.store.instances().records} == {2}
            assert len(list(home.paths.models.iterdir())) == 1
        assert home.kinds("endpoint.") == [
            "endpoint.creating",
            "endpoint.in_service",
            "endpoint.updating",
            "endpoint.switched",
            "endpoint.in_service",
        ]

    asyncio.run(story())


def test_an_update_to_the_same_config_takes_the_data_anew(home):
    async def story():
        async with running(home) as host:
            (old,) = await deployed(home, host, content=an_archive(weights="old"))
            home.put("falcon.tar.gz", an_archive(weights="new"))
            host.update_endpoint("falcon", "falcon-config", "ann")
            await in_service(host)
            assert not alive(old)
            (folder,) = home.paths.models.iterdir()
            assert (folder / "weights").read_text() == "new"

    asyncio.run(story())


@pytest.mark.semantics("states.update_failed")
def test_an_update_that_fails_leaves_the_old_serving_and_says_so(home):
    async def story():
        async with running(home) as host:
            old = await deployed(home, host, instances=2)
            config = home.configure(host, "bad", MODE="broken", content=an_archive(weights="9"))
            host.update_endpoint("falcon", config, "ann")
            await in_service(host)
            seen = host.observed()["falcon"]
            assert (seen.config_name, seen.generation) == ("falcon-config", 1)
            assert seen.failure_reason.startswith(
                "endpoint config bad-config could not be brought up, falcon-config serves on: "
                "variant blue: 3 times in a row, the worker exited with status 3"
            )
            assert "attention-7" in seen.failure_reason
            assert pids(host) == old
            assert all(alive(pid) for pid in old)
            assert len(home.processes()) == 2
            assert len(list(home.paths.models.iterdir())) == 1
            assert home.kinds("endpoint.")[2:] == [
                "endpoint.updating",
                "endpoint.update_failed",
                "endpoint.in_service",
            ]
            # The name is of use again, and the next update makes the failure past.
            host.update_endpoint("falcon", "falcon-config", "ann")
            await in_service(host)
            assert host.observed()["falcon"].failure_reason == ""
            host.delete_config(config, "ann")

    asyncio.run(story())


def test_what_an_update_needs_is_looked_at_first(home):
    async def story():
        async with running(home) as host:
            await deployed(home, host, instances=2)
            large = home.configure(host, "large", instances=3)
            with pytest.raises(ResourceLimitExceeded, match="needs 3 more workers, but 2 of 4"):
                host.update_endpoint("falcon", large, "ann")
            with pytest.raises(EndpointNotFound):
                host.update_endpoint("flan", large, "ann")
            assert status(host) == "InService"
            fitting = home.configure(host, "fitting", instances=2)
            host.update_endpoint("falcon", fitting, "ann")
            for again in (
                lambda: host.update_endpoint("falcon", fitting, "ann"),
                lambda: host.reweigh("falcon", {"blue": 1}, {}, "ann"),
                lambda: host.delete_endpoint("falcon", "ann"),
            ):
                with pytest.raises(EndpointBusy, match="is Updating"):
                    again()
            for config in ("falcon-config", fitting):
                with pytest.raises(InUse):
                    host.delete_config(config, "ann")
            with pytest.raises(AlreadyExists):
                host.create_endpoint("falcon", fitting, "ann")
            await in_service(host)

    home.rules = type(home.rules)(workers=4, patience=home.rules.patience)
    asyncio.run(story())


def test_a_failed_endpoint_can_only_be_deleted(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, MODE="broken")
            await until(lambda: status(host) == "Failed")
            for change in (
                lambda: host.update_endpoint("falcon", "falcon-config", "ann"),
                lambda: host.reweigh("falcon", {}, {"blue": 2}, "ann"),
            ):
                with pytest.raises(Conflict, match="DeleteEndpoint is the only operation"):
                    change()
            host.delete_endpoint("falcon", "ann")
            await gone(host)

    asyncio.run(story())


def test_what_is_retained_comes_along(home):
    capture = Capture(destination="s3://captured/here", percentage=50)

    async def story():
        async with running(home) as host:
            one = home.variant(host, "one", instances=1)
            host.create_config(a_config("first", variants=(one,), capture=capture), "ann")
            host.create_endpoint("falcon", "first", "ann")
            await in_service(host)
            host.reweigh("falcon", {"blue": 2}, {"blue": 7.0}, "ann")
            await in_service(host)
            two = home.variant(host, "two", instances=1)
            host.create_config(a_config("second", variants=(two,)), "ann")
            host.update_endpoint("falcon", "second", "ann", retained=frozenset(Retained))
            await in_service(host)
            assert (serving(host), weights(host)) == ({"blue": 2}, {"blue": 7.0})
            assert host.fleets()["falcon"].capture == capture
            host.update_endpoint("falcon", "second", "ann", retained=frozenset({Retained.WEIGHTS}))
            await in_service(host)
            assert (serving(host), weights(host)) == ({"blue": 1}, {"blue": 7.0})
            assert host.fleets()["falcon"].capture is None

    asyncio.run(story())


def test_weights_take_effect_at_once_and_touch_no_worker(home):
    async def story():
        async with running(home) as host:
            variants = (home.variant(host, "a"), home.variant(host, "b", called="green"))
            host.create_config(a_config("both", variants=variants), "ann")
            host.create_endpoint("falcon", "both", "ann")
            await in_service(host)
            before = pids(host)
            host.reweigh("falcon", {}, {"blue": 0.0, "green": 3.0}, "ann")
            await in_service(host)
            assert weights(host) == {"blue": 0.0, "green": 3.0}
            assert pids(host) == before
            assert host.description("falcon").recorded.generation == 1
            with pytest.raises(InvalidInput, match="no variant 'grey'"):
                host.reweigh("falcon", {}, {"grey": 1.0}, "ann")
            with pytest.raises(InvalidInput, match="add up to 0"):
                host.reweigh("falcon", {}, {"green": 0.0}, "ann")
            assert status(host) == "InService"

    asyncio.run(story())


def test_a_variant_is_scaled_up_and_down_again(home):
    async def story():
        async with running(home) as host:
            (first,) = await deployed(home, host)
            host.reweigh("falcon", {"blue": 4}, {"blue": 2.0}, "ann")
            assert weights(host) == {"blue": 1.0}
            await in_service(host)
            assert (serving(host), weights(host)) == ({"blue": 4}, {"blue": 2.0})
            assert first in pids(host)
            oldest_two = pids(host)[:2]
            host.reweigh("falcon", {"blue": 2}, {}, "ann")
            await in_service(host)
            assert pids(host) == oldest_two
            assert len(home.processes()) == 2
            ((fleets, processes),) = home.releases
            assert (len(fleets["falcon"].variants[0].instances), processes) == (2, 4)

    asyncio.run(story())


@pytest.mark.semantics("states.rollback")
def test_a_scaling_that_fails_is_rolled_back(home, monkeypatch):
    statuses = []
    put = home.store.put_endpoint

    def noted(recorded, event):
        statuses.append(str(recorded.status))
        put(recorded, event)

    monkeypatch.setattr(home.store, "put_endpoint", noted)

    async def story():
        async with running(home) as host:
            before = await deployed(home, host, MODE="first life only")
            host.reweigh("falcon", {"blue": 3}, {"blue": 5.0}, "ann")
            await in_service(host)
            assert pids(host) == before
            assert weights(host) == {"blue": 1.0}
            assert statuses == ["Creating", "InService", "Updating", "RollingBack", "InService"]
            seen = host.observed()["falcon"]
            assert "the new counts could not be brought up" in seen.failure_reason
            assert "exited with status 4" in seen.failure_reason
            assert (seen.healthy, seen.wanted) == (1, 1)
            with pytest.raises(ResourceLimitExceeded, match="needs 64 more workers, but 1 of 64"):
                host.reweigh("falcon", {"blue": 65}, {}, "ann")
        records = home.store.endpoint("falcon")
        assert records.target is None

    asyncio.run(story())


def test_a_worker_of_the_old_generation_that_dies_meanwhile_fails_no_update(home):
    async def story():
        async with running(home) as host:
            (old,) = await deployed(home, host)
            config = home.configure(host, "slow", MODE="silent")
            host.update_endpoint("falcon", config, "ann")
            os.kill(old, signal.SIGKILL)
            await until(lambda: "worker.restarted" in home.kinds("worker."))
            assert status(host) == "Updating"
            assert serving(host) == {"blue": 1}
            # Only now, so that a busy machine has its time until here.
            host.configure(home.patient(startup=timedelta(seconds=0.5)).rules)
            rising = await until(lambda: rising_pid(host))
            os.kill(rising, signal.SIGKILL)
            await in_service(host)
            assert "did not answer /ping within 0.5 s" in host.observed()["falcon"].failure_reason

    home.patient(startup=timedelta(hours=1))
    asyncio.run(story())


def rising_pid(host):
    return next((each.pid for each in host.instances("falcon") if each.generation == 2), None)


# A host that goes away in the midst of it.


def test_an_update_under_way_goes_on_with_the_workers_of_both_generations(home):
    async def story():
        first = home.host()
        await first.start()
        old = await deployed(home, first, instances=2)
        config = home.configure(first, "slow", MODE="silent")
        first.update_endpoint("falcon", config, "ann")
        await until(lambda: len([pid for pid in pids(first) if pid]) == 3)
        rising = set(pids(first)) - set(old)
        await first.abandon()
        # Its patience begins anew with each host; the first one's is to outlast a busy machine.
        home.patient(startup=timedelta(seconds=1))
        async with running(home) as host:
            assert status(host) == "Updating"
            assert serving(host) == {"blue": 2}
            assert set(pids(host)) == {*old, *rising}
            await in_service(host)
            assert host.observed()["falcon"].config_name == "falcon-config"
            assert "slow-config could not be brought up" in host.observed()["falcon"].failure_reason
            assert pids(host) == old

    asyncio.run(story())


def test_what_was_to_leave_leaves_in_order_although_the_host_was_killed(home):
    async def story():
        first = home.host()
        await first.start()
        (old,) = await deployed(home, first)
        config = home.configure(first, "next")
        reached, never = asyncio.Event(), asyncio.Event()

        async def stuck():
            reached.set()
            await never.wait()

        home.on_release = stuck
        first.update_endpoint("falcon", config, "ann")
        await reached.wait()
        assert first.description("falcon").recorded.generation == 2
        await first.abandon()
        assert alive(old)
        home.releases.clear()
        let_go = asyncio.Event()

        async def patient():
            await let_go.wait()

        home.on_release = patient
        async with running(home) as host:
            assert status(host) == "Updating"
            assert serving(host) == {"blue": 1}
            # Gateways may still go by what the first host said.
            await until(lambda: home.releases)
            assert alive(old)
            let_go.set()
            await in_service(host)
            assert not alive(old)
            assert host.observed()["falcon"].config_name == config

    asyncio.run(story())


@pytest.mark.parametrize("counts", [{"blue": 3}, {"blue": 1}])
def test_a_scaling_under_way_goes_on(home, counts):
    async def story():
        first = home.host()
        await first.start()
        await deployed(home, first, instances=2)
        first.reweigh("falcon", counts, {}, "ann")
        await asyncio.sleep(0)
        await first.abandon()
        async with running(home) as host:
            await in_service(host)
            assert serving(host) == counts
            assert len(home.processes()) == counts["blue"]

    asyncio.run(story())


def test_a_host_that_closes_in_an_update_brings_up_both_when_it_comes_back(home):
    async def story():
        async with running(home) as first:
            await deployed(home, first)
            first.update_endpoint("falcon", home.configure(first, "next"), "ann")
        assert home.processes() == []
        async with running(home) as host:
            assert status(host) == "Updating"
            await in_service(host)
            assert host.observed()["falcon"].config_name == "next-config"
            assert len(home.processes()) == 1

    asyncio.run(story())
