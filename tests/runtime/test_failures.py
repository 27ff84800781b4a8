"""Endpoints that fail to start, and workers that die, hang, fork, or will not end."""

import asyncio
import os
import signal
import sys
from datetime import timedelta

import pytest

from parkade.domain.catalog import Asynchronous
from parkade.domain.errors import StartFailed
from parkade.runtime.environments import ScriptCommand
from parkade.runtime.places import InstanceState
from tests.builders import a_config
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
from tests.runtime.test_archive import a_file, zipped


async def failed(host, name="falcon"):
    """Wait for the failure and return its reason."""
    await until(lambda: status(host, name) != "Creating")
    assert status(host, name) == "Failed"
    return host.observed()[name].failure_reason


def test_a_bad_archive_fails_with_its_member_and_can_be_deleted(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, content=zipped(a_file("../evil")))
            reason = await failed(host)
            assert reason.startswith("variant blue: member '../evil' points outside")
            assert "parkade model pack" in reason
            assert host.observed()["falcon"].wanted == 0
            assert home.store.endpoint("falcon").failure_reason == reason
            assert home.store.instances().records == ()
            assert list(home.paths.models.iterdir()) == []
            host.create_endpoint("falcon", "falcon-config", "ann")
            assert status(host) == "Failed"
            host.delete_endpoint("falcon", "ann")
            await gone(host)
        assert home.kinds("endpoint.") == [
            "endpoint.creating",
            "endpoint.failed",
            "endpoint.deleting",
            "endpoint.deleted",
        ]

    asyncio.run(story())


def test_an_archive_that_is_too_large_or_not_there_fails_with_its_reason(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, content=an_archive(weights="x" * 2000))
            assert "more than 1000 bytes, reached at 'weights'" in await failed(host)
            home.deploy(host, name="flan")
            home.objects.delete("models", "flan.tar.gz")
            assert "s3://models/flan.tar.gz" in await failed(host, "flan")

    home.rules = type(home.rules)(unpacked_bytes=1000, patience=home.rules.patience)
    asyncio.run(story())


def test_a_worker_that_exits_three_times_fails_the_endpoint_with_its_last_lines(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, MODE="broken")
            reason = await failed(host)
            assert reason == (
                "variant blue: 3 times in a row, the worker exited with status 3 before it "
                "answered /ping; last lines of its log:\n"
                "loading the model\nno such layer: attention-7"
            )
            assert home.processes() == []
            (log,) = host.logs("falcon")
            assert log.read_text().count("attention-7") == 3
        assert home.kinds("worker.") == ["worker.died"] * 3

    asyncio.run(story())


@pytest.mark.semantics("container.startup")
@pytest.mark.parametrize("mode", ["silent", "unwell"])
def test_a_worker_that_is_never_well_fails_the_endpoint_in_time(home, mode):
    async def story():
        async with running(home) as host:
            home.deploy(host, MODE=mode, instances=2)
            reason = await failed(host)
            assert reason.startswith("variant blue: the worker did not answer /ping within 0.5 s")
            assert home.processes() == []

    home.patient(startup=timedelta(seconds=0.5))
    asyncio.run(story())


@pytest.mark.semantics("container.ping")
def test_a_worker_whose_pings_take_too_long_is_never_well(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, MODE="late")
            reason = await failed(host)
            assert reason.startswith("variant blue: the worker did not answer /ping within 2.0 s")

    home.patient(startup=timedelta(seconds=2), ping=timedelta(seconds=0.05))
    asyncio.run(story())


def test_what_a_container_or_a_bug_says_becomes_the_reason(home, caplog):
    def refusing(model_dir, *, cache, log, halt, environment):
        raise StartFailed("requirements.txt could not be installed: no such package: numpie")

    def buggy(model_dir, *, cache, log, halt, environment):
        return model_dir.no_such_thing

    def absent(model_dir, *, cache, log, halt, environment):
        return ScriptCommand(argv_prefix=["/nonesuch"], env={})

    async def story():
        async with running(home) as host:
            home.containers["script"] = refusing
            home.deploy(host)
            assert "no such package: numpie" in await failed(host)
            home.containers["script"] = buggy
            home.deploy(host, name="flan")
            assert "AttributeError" in await failed(host, "flan")
            home.containers["script"] = absent
            home.deploy(host, name="owl")
            assert "No such file or directory: '/nonesuch'" in await failed(host, "owl")

    asyncio.run(story())
    assert "no_such_thing" in caplog.text


@pytest.mark.semantics("limits.failure_reason")
def test_a_long_reason_is_cut_to_sagemakers_limit_in_its_middle(home):
    def chatty(model_dir, *, cache, log, halt, environment):
        raise StartFailed("it says: " + "x" * 5000 + ": no such luck")

    async def story():
        async with running(home) as host:
            home.containers["script"] = chatty
            home.deploy(host)
            reason = await failed(host)
            assert len(reason) == 1024
            assert reason.startswith("variant blue: it says: xxx")
            assert reason.endswith("xxx: no such luck")

    asyncio.run(story())


def test_one_variant_that_fails_takes_down_what_started_already(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, name="good")
            await in_service(host, "good")
            home.deploy(host, MODE="first life only", instances=2)
            assert "exited with status 4" in await failed(host)
            assert len(home.processes()) == 1
            assert status(host, "good") == "InService"

    asyncio.run(story())


def test_a_killed_worker_is_restarted_and_the_others_go_on(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, instances=2)
            await in_service(host)
            victim, other = host.instances("falcon")
            os.kill(victim.pid, signal.SIGKILL)
            await until(lambda: host.observed()["falcon"].healthy == 1)
            views = host.fleets()["falcon"].variants[0].instances
            assert [view.id for view in views] == [other.id]
            assert status(host) == "InService"
            await in_service(host)
            again, same = host.instances("falcon")
            assert (again.id, again.restarts) == (victim.id, 1)
            assert again.pid != victim.pid
            assert (same.pid, same.restarts) == (other.pid, 0)
        assert home.kinds("worker.")[2:] == ["worker.died", "worker.restarted"]

    asyncio.run(story())


def test_an_endpoint_in_service_stays_so_however_often_its_worker_dies(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, MODE="first life only")
            await in_service(host)
            os.kill(pids(host)[0], signal.SIGKILL)
            await until(lambda: host.instances("falcon")[0].restarts >= 5)
            assert status(host) == "InService"
            assert host.observed()["falcon"].healthy == 0
            assert host.instances("falcon")[0].state in {
                InstanceState.STARTING,
                InstanceState.RESTARTING,
            }
            host.delete_endpoint("falcon", "ann")
            await gone(host)

    asyncio.run(story())


def test_pauses_between_restarts_grow_and_begin_anew_after_a_steady_life(home, monkeypatch):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            for deaths in range(1, 6):
                os.kill(pids(host)[0], signal.SIGKILL)
                await until(lambda: home.kinds("worker.died") == ["worker.died"] * deaths)  # noqa: B023
                await in_service(host)
                await until(lambda: pids(host)[0])
            home.patient(steady=timedelta(0))
            host.configure(home.rules)
            os.kill(pids(host)[0], signal.SIGKILL)
            await until(lambda: len(home.kinds("worker.died")) == 6)
            await in_service(host)

    pauses = []
    sleep = asyncio.sleep

    async def noted(seconds):
        if asyncio.current_task().get_name().startswith("keep "):
            pauses.append(seconds)
        await sleep(seconds)

    home.patient(first_backoff=timedelta(seconds=0.03), longest_backoff=timedelta(seconds=0.2))
    monkeypatch.setattr("parkade.runtime.places.asyncio.sleep", noted)
    asyncio.run(story())
    waits = [p for p in pauses if p >= 0.03]
    assert waits == [0.03, 0.06, 0.12, 0.2, 0.2, 0.03]


def test_a_worker_that_hangs_is_killed_and_replaced(home):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            (pid,) = pids(host)
            os.kill(pid, signal.SIGSTOP)
            await until(lambda: "worker.restarted" in home.kinds("worker."))
            assert not alive(pid)
            await in_service(host)
        assert home.kinds("worker.") == ["worker.started", "worker.hung", "worker.restarted"]

    home.patient(silence=timedelta(seconds=0.5))
    asyncio.run(story())


def test_a_worker_that_is_busy_for_a_while_is_left_alone(home):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            (pid,) = pids(host)
            os.kill(pid, signal.SIGSTOP)
            loop = asyncio.get_running_loop()
            busy_until = loop.time() + 1
            await until(lambda: loop.time() >= busy_until)
            assert host.observed()["falcon"].healthy == 1
            os.kill(pid, signal.SIGCONT)
            await in_service(host)
            assert pids(host) == [pid]
        assert home.kinds("worker.") == ["worker.started"]

    asyncio.run(story())


@pytest.mark.semantics("async.hour")
def test_a_worker_with_an_asynchronous_request_may_compute_for_an_hour(home):
    """Beside it an endpoint like any other, to see that the silence was long enough to be seen."""

    async def story():
        async with running(home) as host:
            home.deploy(host, name="falcon")
            variant = home.variant(host, "slow")
            rules = Asynchronous(output="s3://answers")
            config = a_config("slow-config", variants=(variant,), asynchronous=rules)
            host.create_config(config, "ann")
            host.create_endpoint("slow", "slow-config", "ann")
            for name in ("falcon", "slow"):
                await in_service(host, name)
            stopped = {name: pids(host, name)[0] for name in ("slow", "falcon")}
            for pid in stopped.values():
                os.kill(pid, signal.SIGSTOP)
            await until(lambda: "worker.restarted" in home.kinds("worker."))
            assert pids(host, "slow") == [stopped["slow"]]
            os.kill(stopped["slow"], signal.SIGCONT)

    home.patient(silence=timedelta(seconds=0.5))
    asyncio.run(story())


def test_a_stubborn_worker_is_killed_after_the_grace(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, MODE="stubborn")
            await in_service(host)
            (pid,) = pids(host)
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            assert not alive(pid)

    home.patient(grace=timedelta(seconds=0.3))
    asyncio.run(story())


def test_nothing_that_a_worker_has_forked_is_left(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, MODE="forking")
            await in_service(host)
            first = {process.pid for process in home.processes()}
            assert len(first) == 3
            os.kill(pids(host)[0], signal.SIGKILL)
            await until(lambda: host.instances("falcon")[0].restarts == 1)
            await in_service(host)
            assert not any(alive(pid) for pid in first)
            assert len(home.processes()) == 3
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            assert home.processes() == []

    asyncio.run(story())


def test_preparations_end_when_the_host_closes_and_when_they_take_too_long(home):
    ended = []

    def endless(model_dir, *, cache, log, halt, environment):
        command = [sys.executable, "-S", "-c", "import signal; signal.pause()"]
        try:
            with log.open("ab") as output:
                (model_dir / "begun").touch()
                halt.run(command, cwd=model_dir, output=output, lock=output.fileno())
        finally:
            ended.append(model_dir)
        raise StartFailed("halted")

    async def timely():
        async with running(home) as host:
            home.containers["script"] = endless
            home.deploy(host, name="flan")
            reason = await failed(host, "flan")
            assert reason == "variant blue: its preparation took longer than 0.5 s"

    async def story():
        async with running(home) as host:
            home.containers["script"] = endless
            home.deploy(host)
            await until(lambda: list(home.paths.models.glob("*/begun")))
        assert ended
        assert home.processes() == []
        assert home.store.instances().records == ()
        home.containers["script"] = tiny
        async with running(home) as host:
            assert status(host) == "Creating"
            await in_service(host)

    asyncio.run(story())
    home.patient(preparation=timedelta(seconds=0.5))
    asyncio.run(timely())


def test_a_full_disk_delays_a_deletion_and_does_not_lose_it(home, monkeypatch):
    remove = home.store.remove_endpoint
    full = [True]

    def refusing(name, event):
        if full[0]:
            full[0] = False
            raise OSError(28, "No space left on device")
        remove(name, event)

    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            monkeypatch.setattr(home.store, "remove_endpoint", refusing)
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            assert not full[0]

    asyncio.run(story())


def test_logs_are_rotated_while_workers_write(home, monkeypatch):
    monkeypatch.setattr("parkade.runtime.host._TEND_LOGS_EVERY", 0.02)

    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            (log,) = host.logs("falcon")
            older = log.with_name(log.name + ".1")
            # The log is emptied a moment after its copy is there.
            await until(lambda: older.exists() and log.read_text() == "")
            assert older.read_text() == "listening\n"
            assert host.logs("falcon") == (log,)

    home.rules = type(home.rules)(log_bytes=5, patience=home.rules.patience)
    asyncio.run(story())
