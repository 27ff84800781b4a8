"""Variants of every kind: serverless, shadows, pipelines, with a patience of their own."""

import asyncio
import os
import signal
from datetime import timedelta

import pytest

from parkade.domain.catalog import Capture, Routing, Serverless
from parkade.domain.errors import InvalidInput
from tests.builders import a_config, a_container, a_model, a_variant
from tests.runtime.premises import alive, an_archive, gone, in_service, pids, running, status, until


def test_a_serverless_variant_is_one_worker_that_takes_so_many_requests(home):
    async def story():
        async with running(home) as host:
            home.variant(host, "falcon")
            serverless = Serverless(memory_mb=2048, concurrency=7)
            variant = a_variant(serverless=serverless, instance_type="", routing=Routing.RANDOM)
            host.create_config(a_config(variants=(variant,)), "ann")
            host.create_endpoint("falcon", "falcon-config", "ann")
            await in_service(host)
            (view,) = host.fleets()["falcon"].variants
            assert (len(view.instances), view.concurrency, view.random) == (1, 7, True)
            with pytest.raises(InvalidInput, match="serverless"):
                host.reweigh("falcon", {"blue": 2}, {}, "ann")

    asyncio.run(story())


@pytest.mark.semantics("limits.serverless_payload")
def test_a_serverless_variant_has_three_minutes_to_start(home):
    async def story():
        async with running(home) as host:
            home.variant(host, "falcon")
            serverless = Serverless(memory_mb=1024, concurrency=1)
            variant = a_variant(serverless=serverless, instance_type="")
            host.create_config(a_config(variants=(variant,)), "ann")
            host.create_endpoint("falcon", "falcon-config", "ann")
            (group,) = host._endpoints["falcon"].fleet.groups
            assert group.startup == timedelta(minutes=3)
            await in_service(host)

    # The host's own would not do for any worker.
    home.patient(startup=timedelta(milliseconds=1))
    asyncio.run(story())


def test_a_shadow_runs_beside_its_variant_and_is_shown_apart(home):
    capture = Capture(destination="s3://captured/here", percentage=50)

    async def story():
        async with running(home) as host:
            variants = (home.variant(host, "a"),)
            shadows = (home.variant(host, "b", called="shadow", instances=2),)
            config = a_config(variants=variants, shadows=shadows, capture=capture)
            host.create_config(config, "ann")
            host.create_endpoint("falcon", "falcon-config", "ann")
            await in_service(host)
            assert host.observed()["falcon"].healthy == 3
            view = host.fleets()["falcon"]
            assert [(v.name, len(v.instances)) for v in view.variants] == [("blue", 1)]
            assert [(v.name, len(v.instances)) for v in view.shadows] == [("shadow", 2)]
            assert (view.capture, view.asynchronous) == (capture, None)
            assert host.description("falcon").serving == {"blue": 1, "shadow": 2}

    asyncio.run(story())


def a_pipeline(home, host, *modes, instances=2, **options):
    """Make a model of a container for each mode, and an endpoint of it."""
    containers = []
    for number, mode in enumerate(modes):
        home.put(f"part-{number}.tar.gz", an_archive(weights=str(number)))
        containers.append(
            a_container(
                image="pytorch-inference",
                data_url=f"s3://models/part-{number}.tar.gz",
                environment={"MODE": mode, "PART": str(number)},
                hostname=f"part-{number}",
            )
        )
    host.create_model(a_model(containers=tuple(containers), **options), "ann")
    host.create_config(a_config(variants=(a_variant(instance_count=instances),)), "ann")
    host.create_endpoint("falcon", "falcon-config", "ann")


def test_an_instance_of_a_pipeline_is_a_worker_for_each_container(home):
    async def story():
        async with running(home) as host:
            a_pipeline(home, host, "", "", "", direct=True)
            await in_service(host)
            assert len(home.processes()) == 6
            assert host.observed()["falcon"].healthy == 2
            (variant,) = host.fleets()["falcon"].variants
            assert variant.hostnames == ("part-0", "part-1", "part-2")
            assert variant.direct
            assert [len(instance.addresses) for instance in variant.instances] == [3, 3]
            by_id = {worker.id: worker for worker in host.instances("falcon")}
            for instance in variant.instances:
                for number, address in enumerate(instance.addresses):
                    worker = by_id[address.rpartition("/")[2].removesuffix(".sock")]
                    assert (worker.instance, worker.container) == (instance.id, number)
            parts = [worker.environ() for worker in home.processes()]
            assert sorted(part["PART"] for part in parts) == ["0", "0", "1", "1", "2", "2"]
            assert len({part["SM_MODEL_DIR"] for part in parts}) == 3
            assert len(host.logs("falcon")) == 6
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            assert home.store.instances().records == ()

    asyncio.run(story())


def test_an_instance_is_out_while_one_of_its_containers_is(home):
    async def story():
        async with running(home) as host:
            a_pipeline(home, host, "", "")
            await in_service(host)
            before = host.fleets()["falcon"].variants[0].instances
            victim = host.instances("falcon")[0]
            os.kill(victim.pid, signal.SIGKILL)
            await until(lambda: host.observed()["falcon"].healthy == 1)
            (left,) = host.fleets()["falcon"].variants[0].instances
            assert left.id != victim.instance
            await in_service(host)
            assert host.fleets()["falcon"].variants[0].instances == before
            assert sum(alive(pid) for pid in pids(host)) == 4

    asyncio.run(story())


def test_one_bad_container_fails_the_whole_and_the_reason_names_what_it_said(home):
    async def story():
        async with running(home) as host:
            a_pipeline(home, host, "", "broken")
            await until(lambda: status(host) == "Failed")
            assert "attention-7" in host.observed()["falcon"].failure_reason
            assert home.processes() == []

    asyncio.run(story())


def test_a_pipeline_is_adopted_and_what_is_missing_of_it_started_again(home):
    async def story():
        first = home.host()
        await first.start()
        a_pipeline(home, first, "", "", instances=1)
        await in_service(first)
        (instance,) = first.fleets()["falcon"].variants[0].instances
        kept, lost = pids(first)
        await first.abandon()
        os.kill(lost, signal.SIGKILL)
        await until(lambda: not alive(lost))
        async with running(home) as host:
            await in_service(host)
            (again,) = host.fleets()["falcon"].variants[0].instances
            assert again.id == instance.id
            assert again.addresses[0] == instance.addresses[0]
            assert pids(host)[0] == kept
            assert len(home.processes()) == 2

    asyncio.run(story())


@pytest.mark.semantics("container.startup")
def test_a_variant_has_a_patience_of_its_own(home):
    async def story():
        async with running(home) as host:
            home.variant(host, "falcon")
            variant = a_variant(startup_timeout=3600, download_timeout=60)
            host.create_config(a_config(variants=(variant,)), "ann")
            host.create_endpoint("falcon", "falcon-config", "ann")
            await in_service(host)

    # The host's own would not do for any worker.
    home.patient(startup=timedelta(milliseconds=1))
    asyncio.run(story())
