"""State that cannot be read: a host that starts over it ends nothing, removes nothing, tells it."""

import asyncio
import os
import signal

import pytest

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import InUse, Unreadable
from parkade.ports.events import EventQuery
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

#: What is done to the record of endpoint "falcon", and how it is put right.
DAMAGE = (
    "UPDATE endpoints SET content = replace(content, '\"changed_at\"', '\"torn\"')"
    " WHERE name = 'falcon'"
)
MENDING = (
    "UPDATE endpoints SET content = replace(content, '\"torn\"', '\"changed_at\"')"
    " WHERE name = 'falcon'"
)
INSTANCE = "UPDATE instances SET content = '{' WHERE content LIKE '%falcon%'"


def damage(home, statement=DAMAGE):
    with home.database.writing() as connection:
        assert connection.execute(statement).rowcount > 0


def rows(home, table):
    with home.database.reading() as connection:
        return {tuple(row) for row in connection.execute(f"SELECT * FROM {table}")}  # noqa: S608


def everything(home):
    """All rows of the host, and all its files but logs and sockets."""
    tables = {table: rows(home, table) for table in ("endpoints", "instances", "configs", "models")}
    folders = (home.paths.models, home.paths.work)
    return tables, {path for folder in folders for path in folder.rglob("*")}


def reports(home):
    events = home.history.read(EventQuery(kinds=("host.unreadable",), limit=100))
    return [(event.endpoint_name, event.reason) for event in events]


async def deployed_and_left(home, *names, **options):
    """Run endpoints of these names on a host that goes away and leaves their workers running."""
    first = home.host()
    await first.start()
    for name in names:
        home.deploy(first, name=name, **options)
    for name in names:
        await in_service(first, name)
    found = {name: pids(first, name) for name in names}
    await first.abandon()
    return found


def test_workers_go_on_and_serve_and_nothing_is_removed(home):
    async def story():
        found = await deployed_and_left(home, "falcon", instances=2)
        damage(home)
        before = everything(home)
        async with running(home) as host:
            assert sorted(pids(host)) == sorted(found["falcon"])
            (variant,) = host.fleets()["falcon"].variants
            assert (variant.name, variant.weight, len(variant.instances)) == ("blue", 1.0, 2)
            seen = host.observed()["falcon"]
            assert (seen.status, seen.healthy, seen.wanted) == ("InService", 2, 2)
            assert seen.failure_reason
            assert everything(home) == before
            assert home.kinds("host.", "endpoint.") == [
                "endpoint.creating",
                "endpoint.in_service",
                "host.unreadable",
            ]
            ((name, reason),) = reports(home)
            assert name == "falcon"
            assert "falcon" in reason
        assert home.processes() == []

    asyncio.run(story())


def test_other_endpoints_start_and_stop_as_usual(home):
    async def story():
        found = await deployed_and_left(home, "falcon", "flan")
        damage(home)
        async with running(home) as host:
            assert pids(host, "flan") == found["flan"]
            assert host.observed()["flan"].failure_reason == ""
            host.delete_endpoint("flan", "ann")
            await gone(host, "flan")
            assert not alive(found["flan"][0])
            host.create_endpoint("flan", "flan-config", "ann")
            await in_service(host, "flan")
            assert pids(host) == found["falcon"]

    asyncio.run(story())


def test_nothing_is_started_where_nothing_runs_and_a_person_is_waited_for(home):
    async def story():
        async with running(home) as first:
            home.deploy(first)
            await in_service(first)
        damage(home)
        before = everything(home)
        async with running(home) as host:
            seen = host.observed()["falcon"]
            assert (seen.status, seen.healthy, seen.wanted) == ("OutOfService", 0, 0)
            assert "falcon" not in host.fleets()
            assert home.processes() == []
            assert everything(home) == before
        assert everything(home) == before

    asyncio.run(story())


def test_an_endpoint_whose_own_record_is_damaged_is_neither_deleted_nor_created(home):
    async def story():
        found = await deployed_and_left(home, "falcon")
        damage(home)
        before = everything(home)
        async with running(home) as host:
            with pytest.raises(Unreadable, match="changed_at"):
                host.delete_endpoint("falcon", "ann")
            with pytest.raises(Unreadable, match="changed_at"):
                host.create_endpoint("falcon", "falcon-config", "ann")
            with pytest.raises(InUse, match="falcon"):
                host.delete_config("falcon-config", "ann")
            assert pids(host) == found["falcon"]
            assert everything(home) == before

    asyncio.run(story())


@pytest.mark.parametrize(
    "mending",
    [
        MENDING,
        "DELETE FROM endpoints WHERE name = 'falcon'",
    ],
)
def test_an_endpoint_whose_record_was_put_right_or_removed_can_be_deleted(home, mending):
    async def story():
        found = await deployed_and_left(home, "falcon")
        damage(home)
        async with running(home) as host:
            damage(home, mending)
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            assert not alive(found["falcon"][0])
            host.create_endpoint("falcon", "falcon-config", "ann")
            await in_service(host)
            assert host.observed()["falcon"].config_name == "falcon-config"

    asyncio.run(story())


def test_a_worker_that_dies_comes_back_once_its_record_can_be_read(home):
    async def story():
        found = await deployed_and_left(home, "falcon")
        damage(home)
        async with running(home) as host:
            os.kill(found["falcon"][0], signal.SIGKILL)
            await until(lambda: host.observed()["falcon"].healthy == 0)
            await until(lambda: host.instances("falcon")[0].restarts > 2)
            assert status(host) == "InService"
            damage(home, MENDING)
            await until(lambda: host.observed()["falcon"].healthy == 1)
            assert "worker.restarted" in home.kinds("worker.")

    asyncio.run(story())


def test_after_its_mending_the_next_host_goes_on_as_ever(home):
    async def story():
        await deployed_and_left(home, "falcon", instances=2)
        damage(home)
        async with running(home):
            pass
        damage(home, MENDING)
        async with running(home) as host:
            await in_service(host)
            assert len(pids(host)) == 2
            assert host.observed()["falcon"].failure_reason == ""
        assert len(reports(home)) == 1

    asyncio.run(story())


def test_a_worker_of_an_instance_that_cannot_be_read_runs_beside_its_successor(home):
    async def story():
        found = await deployed_and_left(home, "falcon")
        (old,) = found["falcon"]
        ((instance_id, *_),) = rows(home, "instances")
        damage(home, INSTANCE)
        before = everything(home)
        async with running(home) as host:
            await in_service(host)
            assert old not in pids(host)
            assert alive(old)
            assert (home.short / f"{instance_id}.sock").exists()
            tables, files = everything(home)
            assert before[0]["instances"] < tables["instances"]
            assert before[1] <= files
            ((_, reason),) = reports(home)
            assert instance_id in reason
        assert not alive(old)
        assert {row[0] for row in rows(home, "instances")} == {instance_id}

    asyncio.run(story())


def test_a_start_that_was_under_way_is_left_where_it_is(home):
    async def story():
        first = home.host()
        await first.start()
        home.deploy(first, MODE="silent")
        await until(lambda: first.instances("falcon") and pids(first)[0])
        (pid,) = pids(first)
        await first.abandon()
        damage(home)
        async with running(home) as host:
            assert pids(host) == [pid]
            assert host.observed()["falcon"].healthy == 0
        damage(home, MENDING)
        assert home.store.endpoint("falcon").status is EndpointStatus.CREATING

    asyncio.run(story())


def test_neither_models_nor_configs_are_asked_for_once_an_endpoint_is_there(home):
    async def story():
        await deployed_and_left(home, "falcon")
        for table in ("models", "configs"):
            damage(home, f"DELETE FROM {table}")  # noqa: S608
        async with running(home) as host:
            os.kill(pids(host)[0], signal.SIGKILL)
            await until(lambda: "worker.restarted" in home.kinds("worker."))
            await in_service(host)
        async with running(home) as host:
            await in_service(host)
            host.delete_endpoint("falcon", "ann")
            await gone(host)
        assert reports(home) == []

    asyncio.run(story())


def test_data_is_kept_while_it_is_unknown_who_uses_it(home):
    async def story():
        await deployed_and_left(home, "falcon", content=an_archive(weights="old"))
        (home.paths.models / "0123").mkdir()
        damage(home)
        async with running(home):
            assert len(list(home.paths.models.iterdir())) == 2
        damage(home, MENDING)
        async with running(home):
            assert len(list(home.paths.models.iterdir())) == 1

    asyncio.run(story())
