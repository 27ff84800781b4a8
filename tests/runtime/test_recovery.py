"""A host that was killed, and the one after it."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
import uvloop

from parkade.domain.blueprint import Blueprint
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import EndpointBusy
from parkade.runtime import leftovers
from tests.builders import (
    NOW,
    a_config,
    a_model,
    a_recorded_endpoint,
    a_recorded_instance,
    a_variant,
    an_event,
)
from tests.runtime.premises import (
    alive,
    an_archive,
    gone,
    in_service,
    pids,
    running,
    status,
    tiny,
    until,
)

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def lone_host(home):
    """Run hosts on the home in processes of their own."""
    hosts = []

    def start():
        host = subprocess.Popen(
            [sys.executable, "-m", "tests.runtime.lone_host", str(home.folder), str(home.short)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        hosts.append(host)
        assert host.stdout.readline() == b"started\n"
        return host

    yield start
    for host in hosts:
        host.kill()
        host.wait()
        host.stdout.close()


def record(home, name="falcon", status=EndpointStatus.CREATING, *, instances=1, **environment):
    """Write what a host that was killed has left in the store."""
    home.put(f"{name}.tar.gz")
    home.store.add_model(
        a_model(
            f"{name}-model",
            image="pytorch-inference",
            data_url=f"s3://models/{name}.tar.gz",
            environment=environment,
        ),
        an_event("test.prepared"),
    )
    variant = a_variant(model_name=f"{name}-model", instance_count=instances)
    config = a_config(f"{name}-config", variants=(variant,))
    home.store.add_config(config, an_event("test.prepared"))
    blueprint = Blueprint(config=config, models=(home.store.model(f"{name}-model"),))
    home.store.put_endpoint(
        a_recorded_endpoint(name, blueprint=blueprint, status=status),
        an_event("test.prepared"),
    )


def left_over(state_id, instance_id, *, preparing="pass", leads=True):
    """Start a process with the markers of a state, as a worker of a host that is gone."""
    program = f"import signal; {preparing}; print('up', flush=True); signal.pause()"
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", program],
        stdout=subprocess.PIPE,
        start_new_session=leads,
        env={leftovers.STATE_ID: state_id, leftovers.INSTANCE_ID: instance_id},
    )
    assert process.stdout.readline() == b"up\n"
    return process


def ended(process):
    """Reap the process, tell how it ended."""
    process.stdout.close()
    return process.wait(60)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_workers_of_a_killed_host_are_adopted_with_their_pids(home, lone_host, loop):
    record(home, instances=2)
    first = lone_host()

    def served():
        return home.store.endpoint("falcon").status is EndpointStatus.IN_SERVICE

    async def story():
        await until(served)
        workers = {p.pid for p in home.processes()}
        first.kill()
        first.wait()
        assert all(alive(pid) for pid in workers)
        async with running(home) as host:
            # No moment passes in which they are not known to serve.
            assert len(host.fleets()["falcon"].variants[0].instances) == 2
            assert status(host) == "InService"
            assert set(pids(host)) == workers
            victim, other = pids(host)
            os.kill(victim, signal.SIGKILL)
            await until(lambda: host.observed()["falcon"].healthy == 1)
            await in_service(host)
            assert other in pids(host)
            assert victim not in pids(host)
        assert home.processes() == []
        assert home.store.instances().records == ()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(story())
    kinds = home.kinds("worker.")
    assert kinds == ["worker.started"] * 2 + ["worker.adopted"] * 2 + [
        "worker.died",
        "worker.restarted",
    ]


def test_an_abandoned_worker_goes_on_and_is_adopted(home):
    async def story():
        first = home.host()
        await first.start()
        home.deploy(first)
        await in_service(first)
        (pid,) = pids(first)
        await first.abandon()
        assert alive(pid)
        async with running(home) as host:
            assert pids(host) == [pid]
            assert host.observed()["falcon"].healthy == 1
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            assert not alive(pid)

    asyncio.run(story())


def test_a_busy_worker_is_adopted_although_it_answers_no_ping(home):
    async def story():
        first = home.host()
        await first.start()
        home.deploy(first)
        await in_service(first)
        (pid,) = pids(first)
        await first.abandon()
        os.kill(pid, signal.SIGSTOP)
        async with running(home) as host:
            assert host.observed()["falcon"].healthy == 1
            os.kill(pid, signal.SIGCONT)
            assert pids(host) == [pid]

    asyncio.run(story())


def test_a_worker_that_was_starting_is_adopted_and_waited_for(home):
    async def story():
        first = home.host()
        await first.start()
        home.deploy(first, MODE="silent")
        await until(lambda: first.instances("falcon") and pids(first)[0])
        (pid,) = pids(first)
        await first.abandon()
        async with running(home) as host:
            assert status(host) == "Creating"
            assert pids(host) == [pid]
            await until(lambda: status(host) == "Failed")
            assert not alive(pid)

    home.patient(startup=timedelta(seconds=1))
    asyncio.run(story())


def test_processes_that_nobody_knows_are_ended(home):
    record(home, status=EndpointStatus.FAILED)
    home.store.put_instance(a_recorded_instance("of-failed", endpoint_name="falcon"))
    home.store.put_instance(a_recorded_instance("of-gone", endpoint_name="flan"))
    stubborn = "signal.signal(15, signal.SIG_IGN)"
    processes = [
        left_over(home.state_id, "unrecorded"),
        left_over(home.state_id, "of-failed"),
        left_over(home.state_id, "of-gone", preparing=stubborn),
        left_over(home.state_id, ""),
    ]
    (home.paths.work / "of-gone").mkdir(parents=True)
    (home.paths.sockets / "of-gone.sock").touch()

    async def story():
        async with running(home) as host:
            assert [ended(process) for process in processes] == [-15, -15, -9, -15]
            assert host.instances("falcon") == ()
            assert home.store.instances().records == ()
            assert list(home.paths.work.iterdir()) == []
            assert list(home.paths.sockets.iterdir()) == []

    home.patient(grace=timedelta(seconds=0.3))
    asyncio.run(story())
    assert home.kinds("host.") == ["host.cleaned"]


def test_processes_of_another_state_are_left_alone(home):
    process = left_over("another", "i")

    async def story():
        async with running(home):
            assert process.poll() is None

    asyncio.run(story())
    process.kill()
    assert ended(process) == -9


def test_an_instance_without_a_process_is_forgotten_and_replaced(home):
    record(home, status=EndpointStatus.IN_SERVICE)
    home.store.put_instance(a_recorded_instance("never-forked"))

    async def story():
        async with running(home) as host:
            await in_service(host)
            (instance,) = home.store.instances().records
            assert instance.id != "never-forked"
            assert [i.id for i in host.instances("falcon")] == [instance.id]

    asyncio.run(story())


def test_children_of_a_dead_worker_are_no_worker(home):
    record(home, status=EndpointStatus.IN_SERVICE)
    home.store.put_instance(a_recorded_instance("dead"))
    # The worker has died; what it had forked still has its markers.
    orphan = left_over(home.state_id, "dead", leads=False)

    async def story():
        async with running(home) as host:
            assert ended(orphan) == -15
            await in_service(host)
            assert orphan.pid not in pids(host)

    asyncio.run(story())


@pytest.mark.parametrize("begun", [EndpointStatus.CREATING, EndpointStatus.SYSTEM_UPDATING])
def test_what_was_coming_goes_on_to_be_in_service(home, begun):
    record(home, status=begun)

    async def story():
        async with running(home) as host:
            await in_service(host)
            assert home.store.endpoint("falcon").status is EndpointStatus.IN_SERVICE

    asyncio.run(story())


def test_a_deletion_goes_on(home):
    async def story():
        first = home.host()
        await first.start()
        home.deploy(first)
        await in_service(first)
        (pid,) = pids(first)
        await first.abandon()
        recorded = home.store.endpoint("falcon")
        home.store.put_endpoint(
            replace(recorded, status=EndpointStatus.DELETING), an_event("test.prepared")
        )
        async with running(home) as host:
            await gone(host)
            assert not alive(pid)
            assert home.store.endpoints().records == ()

    asyncio.run(story())


@pytest.mark.semantics("states.system_updating")
def test_what_is_system_updating_is_left_alone(home):
    record(home, status=EndpointStatus.SYSTEM_UPDATING, MODE="silent")

    async def story():
        async with running(home) as host:
            for change in (
                lambda: host.update_endpoint("falcon", "falcon-config", "ann"),
                lambda: host.reweigh("falcon", {}, {"blue": 2.0}, "ann"),
                lambda: host.delete_endpoint("falcon", "ann"),
            ):
                with pytest.raises(EndpointBusy, match="is SystemUpdating"):
                    change()

    asyncio.run(story())


def test_what_cannot_be_brought_back_fails_over_system_updating(home):
    record(home, status=EndpointStatus.IN_SERVICE, MODE="broken")

    async def story():
        async with running(home) as host:
            await until(lambda: status(host) == "Failed")
            assert "attention-7" in host.observed()["falcon"].failure_reason

    asyncio.run(story())
    assert home.kinds("endpoint.") == ["endpoint.updating", "endpoint.failed"]


def test_one_instance_that_serves_keeps_the_endpoint_in_service(home):
    async def story():
        first = home.host()
        await first.start()
        home.deploy(first, MODE="first life only")
        await in_service(first)
        (pid,) = pids(first)
        await first.abandon()
        recorded = home.store.endpoint("falcon")
        two = recorded.blueprint.changed({"blue": 2}, {})
        home.store.put_endpoint(replace(recorded, blueprint=two), an_event("test.prepared"))
        async with running(home) as host:
            await until(lambda: max(i.restarts for i in host.instances("falcon")) > 4)
            assert status(host) == "InService"
            assert pid in pids(host)

    asyncio.run(story())


def test_adopted_workers_and_their_successors_keep_the_data_they_were_created_from(home):
    async def story():
        first = home.host()
        await first.start()
        home.deploy(first, content=an_archive(weights="old"))
        await in_service(first)
        await first.abandon()
        home.put("falcon.tar.gz", an_archive(mode="broken"))
        async with running(home) as host:
            os.kill(pids(host)[0], signal.SIGKILL)
            await until(lambda: "worker.restarted" in home.kinds("worker."))
            folder = Path(psutil.Process(pids(host)[0]).environ()["SM_MODEL_DIR"])
            assert (folder / "weights").read_text() == "old"

    asyncio.run(story())


def test_data_that_no_endpoint_uses_is_removed_at_the_start(home):
    record(home, status=EndpointStatus.FAILED)
    (home.paths.models / "0123" / "code").mkdir(parents=True)
    (home.paths.models / ".half-done").mkdir()

    async def story():
        async with running(home):
            assert list(home.paths.models.iterdir()) == []

    asyncio.run(story())


def test_the_record_is_there_before_the_process(home):
    """A container that looks into the store finds its own instance."""
    seen = []

    def looking(model_dir, *, cache, log, halt, environment):
        seen.extend(home.store.instances().records)
        return tiny(model_dir, cache=cache, log=log, halt=halt, environment=environment)

    async def story():
        async with running(home) as host:
            home.containers["script"] = looking
            home.deploy(host)
            await in_service(host)
            assert [i.id for i in seen] == [i.id for i in host.instances("falcon")]
            assert seen[0].started_at >= NOW

    asyncio.run(story())
