"""Standby processes: what they become is what would have been started, whenever somebody dies."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from parkade.ports.events import EventQuery
from parkade.runtime import leftovers
from parkade.runtime.standby import Standby
from tests.runtime.premises import alive, gone, in_service, pids, running, until
from tests.runtime.shop import CONFESSING, LIBRARY, Shop, answer

ROOT = Path(__file__).parent.parent.parent

#: Loads quickly, and imports the library.
PLAIN = """
import library

def model_fn(folder):
    return None

def transform_fn(*_):
    return "\\"" + library.READ + "\\""
"""


#: What the library does beside, if nobody has been there before.
ALTERED = """
import deeper, sys
if "marked" not in sys.modules:
    sys.modules["unmarked"] = deeper
"""


async def one_waits(host):
    (pid,) = await until(host.standbys)
    return pid


async def restarted(host, name="falcon"):
    """Kill the only worker; return the number of the next one."""
    (before,) = pids(host, name)
    os.kill(before, signal.SIGKILL)
    await until(lambda: pids(host, name)[0] not in {before, None})
    await until(lambda: host.observed()[name].healthy == 1)
    return pids(host, name)[0]


async def asked(host, name="falcon"):
    return await asyncio.to_thread(answer, host, name)


def ready(shop):
    """Return the processes that can be handed over, as everybody can see."""
    found = []
    for each in shop.waiting():
        with suppress(psutil.NoSuchProcess):
            if "PARKADE_WAITING" in each.environ():
                found.append(each)
    return found


def successor_of(shop, pid):
    """Return the process of the worker that took the place of this one, if it is there."""
    return next((each for each in shop.processes() if each.pid != pid), None)


def unlike(before, after):
    return {key for key in before | after if before.get(key) != after.get(key)}


def starts(shop):
    """Return whether a standby process was used, by start."""
    query = EventQuery(kinds=("worker.started", "worker.restarted"), limit=100)
    return sorted(event.data.get("standby", False) for event in shop.history.read(query))


def test_the_next_worker_is_the_process_that_waited_and_is_like_the_first(shop):
    async def story():
        async with running(shop) as host:
            shop.serve(host, LEVEL="high")
            await in_service(host)
            first = await asked(host)
            (log,) = host.logs("falcon")
            said = log.read_text()
            waiting = await one_waits(host)
            assert await restarted(host) == waiting
            second = await asked(host)
            assert first["library"] == second["library"] == "high"
            for when in ("at load", "now"):
                assert not unlike(first[when], second[when])
            assert log.read_text() == said * 2
            # And the next one waits again.
            assert await one_waits(host) != waiting
        assert shop.waiting() == []

    asyncio.run(story())
    assert starts(shop) == [False, True]


def test_what_it_forks_has_the_markers_of_the_instance(shop):
    script = textwrap.dedent("""
        import os, signal, subprocess, sys
        def model_fn(folder):
            if os.fork() == 0:
                os.setsid()
                signal.pause()
            subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        def transform_fn(*_):
            return "{}"
    """)

    async def story():
        async with running(shop) as host:
            shop.serve(host, script)
            await in_service(host)
            waiting = await one_waits(host)
            (marked,) = [m for m in leftovers.find(shop.state_id) if not m.instance_id]
            assert (marked.process.pid, marked.address, marked.model_dir) == (waiting, "", "")
            assert await restarted(host) == waiting
            (instance,) = host.instances("falcon")
            found = [m for m in leftovers.find(shop.state_id) if m.instance_id == instance.id]
            assert len(found) == 3
            assert len({(m.address, m.model_dir, m.health) for m in found}) == 1
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            assert shop.processes() == []

    asyncio.run(story())


def test_another_environment_has_another_process(shop):
    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN, LEVEL="low")
            await in_service(host)
            await one_waits(host)
            shop.serve(host, PLAIN, name="eagle", LEVEL="high")
            await in_service(host, "eagle")
            assert (await asked(host), await asked(host, "eagle")) == ("low", "high")
            for name in ("falcon", "eagle", "eagle", "falcon"):
                await one_waits(host)
                await restarted(host, name)
                assert (await asked(host), await asked(host, "eagle")) == ("low", "high")

    asyncio.run(story())


def test_one_process_does_for_every_model_that_imports_the_same(shop):
    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            shop.serve(host, PLAIN + "\n# another model\n", name="eagle")
            await in_service(host)
            await in_service(host, "eagle")
            for name in ("falcon", "eagle", "falcon"):
                waiting = await one_waits(host)
                assert await restarted(host, name) == waiting

    asyncio.run(story())


@pytest.mark.parametrize(
    ("script", "files"),
    [
        pytest.param(
            "import os\nos.environ['LEVEL'] = 'mine'\n" + PLAIN, (), id="it sets a variable first"
        ),
        pytest.param(
            "import sys\nimport stand_in\nsys.modules['deeper'] = stand_in\n" + PLAIN,
            (("code/stand_in.py", ""),),
            id="it puts something in the place of a module",
        ),
        pytest.param(
            "import sys\nsys.modules['marked'] = sys\n" + PLAIN,
            (),
            id="it changes what a library does",
        ),
    ],
)
def test_code_that_has_to_run_before_its_libraries_does(shop, caplog, script, files):
    (shop.packages / "library.py").write_text(LIBRARY + ALTERED)
    (shop.packages / "deeper.py").write_text("")

    async def story():
        caplog.set_level("INFO")
        async with running(shop) as host:
            shop.serve(host, script, files=files)
            await in_service(host)
            before = await asked(host)
            await until(lambda: "no standby processes for" in caplog.text)
            await restarted(host)
            assert await asked(host) == before

    asyncio.run(story())
    assert starts(shop) == [False, False]


def test_what_a_model_brings_itself_is_not_taken_from_elsewhere(shop):
    own = (("code/library.py", "READ = 'my own'"),)

    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            await in_service(host)
            waiting = await one_waits(host)
            shop.serve(host, PLAIN, name="eagle", files=own)
            await in_service(host, "eagle")
            for _ in range(2):
                await restarted(host, "eagle")
                assert await asked(host, "eagle") == "my own"
                assert pids(host, "eagle") != [waiting]

    asyncio.run(story())


def test_a_library_that_asks_for_what_is_not_decided_yet_is_not_imported(shop, caplog):
    (shop.packages / "library.py").write_text(
        "import os\nREAD = os.environ.get('SM_MODEL_DIR', 'nowhere')"
    )

    async def story():
        caplog.set_level("INFO")
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            await in_service(host)
            before = await asked(host)
            assert "models" in before
            await until(lambda: "looks for SM_MODEL_DIR" in caplog.text)
            await restarted(host)
            assert await asked(host) == before

    asyncio.run(story())


def test_a_package_that_is_installed_makes_it_stale(shop):
    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            await in_service(host)
            stale = await one_waits(host)
            (shop.packages / "library.py").unlink()
            (shop.packages / "library.py").write_text("READ = 'version 2'")
            assert await restarted(host) != stale
            assert await asked(host) == "version 2"
            await until(lambda: not alive(stale))

    asyncio.run(story())


def test_an_isolated_environment_has_its_own(shop):
    needs = (("code/requirements.txt", "# nothing beyond\n"),)

    async def story():
        async with running(shop) as host:
            shop.serve(host, CONFESSING, files=needs)
            await in_service(host)
            first = await asked(host)
            waiting = await one_waits(host)
            python = Path(psutil.Process(waiting).cmdline()[0])
            assert python.is_relative_to(shop.paths.cache)
            assert await restarted(host) == waiting
            second = await asked(host)
            assert not unlike(first["at load"], second["at load"])
            assert first["now"]["main"] == "parkade_container.__main__"

    asyncio.run(story())


def test_they_are_no_workers_of_which_there_is_a_limit(shop):
    shop.rules = replace(shop.rules, workers=1)

    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            await in_service(host)
            waiting = await one_waits(host)
            assert await restarted(host) == waiting
            await one_waits(host)

    asyncio.run(story())


def test_a_model_can_do_without(shop):
    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN, PARKADE_STANDBY="off")
            shop.serve(host, PLAIN, name="eagle")
            await in_service(host)
            await in_service(host, "eagle")
            await one_waits(host)
            await restarted(host)

    asyncio.run(story())
    assert starts(shop) == [False, False, False]


def test_none_waits_where_there_is_no_memory_to_spare(tmp_path):
    shop = Shop(tmp_path, free_percent=100)

    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            await in_service(host)
            await restarted(host)
            assert host.standbys() == ()

    asyncio.run(story())
    assert starts(shop) == [False, False]
    shop.close()


def test_settings_bound_them_and_end_them(shop):
    async def story():
        async with running(shop) as host:
            for number in range(3):
                shop.serve(host, PLAIN, name=f"bird-{number}", LEVEL=f"{number}")
                await in_service(host, f"bird-{number}")
                await until(lambda: len(host.standbys()) == 1)
            shop.allow(host, 2)
            await until(lambda: len(host.standbys()) == 2)
            shop.allow(host, 0)
            await until(lambda: not shop.waiting())
            assert host.standbys() == ()

    asyncio.run(story())


def test_it_goes_with_the_last_model_that_it_could_become(shop):
    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            await in_service(host)
            await one_waits(host)
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            await until(lambda: not shop.waiting())

    asyncio.run(story())


def test_its_death_is_noticed_and_after_some_there_is_none(shop, caplog):
    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            await in_service(host)
            before = None
            for _ in range(3):
                await until(lambda: host.standbys() not in {(), (before,)})  # noqa: B023
                (before,) = host.standbys()
                os.kill(before, signal.SIGKILL)
            await until(lambda: caplog.text.count("was killed by signal 9") == 3)
            assert host._premises.standbys._wanted() == []
            await until(lambda: not shop.waiting())
            await restarted(host)
            # Whoever starts a worker has it tried again.
            os.kill(await one_waits(host), signal.SIGTERM)

    asyncio.run(story())
    assert starts(shop) == [False, False]


def test_two_that_start_at_once_are_two_processes(shop):
    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN, instances=3)
            await in_service(host)
            before = pids(host)
            waiting = await one_waits(host)
            for pid in before:
                os.kill(pid, signal.SIGKILL)
            await until(lambda: len({None, *pids(host)} - {*before, None}) == 3)
            await in_service(host)
            assert len(set(pids(host))) == 3
            assert waiting in pids(host)

    asyncio.run(story())


def test_one_that_is_stuck_is_given_up(shop, monkeypatch):
    monkeypatch.setattr("parkade.runtime.standby._HAND_OVER", 0.05)

    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            await in_service(host)
            stuck = await one_waits(host)
            os.kill(stuck, signal.SIGSTOP)
            assert await restarted(host) != stuck
            assert not alive(stuck)
            assert await asked(host) == "none"

    asyncio.run(story())


def test_who_goes_while_it_is_handed_over_leaves_nothing(shop):
    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            await in_service(host)
            stuck = await one_waits(host)
            os.kill(stuck, signal.SIGSTOP)
            os.kill(pids(host)[0], signal.SIGKILL)
            await until(lambda: host.standbys() == ())
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            await until(lambda: not alive(stuck))
            assert shop.processes() == []

    asyncio.run(story())


def test_an_abandoned_host_leaves_workers_alone(shop):
    async def story():
        host = shop.host()
        await host.start()
        shop.serve(host, PLAIN)
        await in_service(host)
        waiting = await one_waits(host)
        assert await restarted(host) == waiting
        await one_waits(host)
        await host.abandon()
        assert shop.waiting() == []
        async with running(shop) as successor:
            await in_service(successor)
            assert pids(successor) == [waiting]
            assert await asked(successor) == "none"

    asyncio.run(story())


def test_a_host_that_comes_back_keeps_processes_for_what_is_asleep(shop):
    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            await in_service(host)
            await one_waits(host)
            host.sleep_endpoint("falcon", "ann")
            await until(lambda: not shop.processes())
        async with running(shop) as successor:
            waiting = await one_waits(successor)
            successor.wake_endpoint("falcon", "ann")
            await until(lambda: successor.observed()["falcon"].healthy)
            assert pids(successor) == [waiting]
            assert await asked(successor) == "none"

    asyncio.run(story())


def test_what_is_known_of_models_is_lost_without_harm(shop):
    async def story():
        async with running(shop) as host:
            shop.serve(host, PLAIN)
            await in_service(host)
            await one_waits(host)
        (known,) = (shop.paths.cache / "imports").iterdir()
        assert known.stat().st_mode & 0o077 == 0
        known.write_text("{}")
        async with running(shop) as successor:
            await in_service(successor)
            assert await asked(successor) == "none"
            await one_waits(successor)
        assert starts(shop) == [False, False]

    asyncio.run(story())


@pytest.fixture
def lone_host(shop):
    """Run hosts on the shop in processes of their own."""
    hosts = []

    def start():
        host = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.runtime.lone_host"),
                *(str(shop.folder), str(shop.short), "shop"),
            ],
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


def test_one_that_waits_ends_with_a_host_that_is_killed(shop, lone_host):
    async def story():
        host = shop.host()
        await host.start()
        shop.serve(host, PLAIN)
        await in_service(host)
        await one_waits(host)
        await host.abandon()
        lone = lone_host()
        await until(lambda: ready(shop))
        lone.kill()
        await until(lambda: not shop.waiting())
        assert len(shop.processes()) == 1

    asyncio.run(story())


def test_whatever_order_a_package_imports_in_the_kind_is_the_same(shop):
    (shop.packages / "library.py").write_text(
        LIBRARY + "import importlib\nfor name in {f'part_{n}' for n in range(20)}:\n"
        "    importlib.import_module(name)\n"
    )
    for number in range(20):
        (shop.packages / f"part_{number}.py").write_text("")

    async def story():
        async with running(shop) as host:
            for name in ("falcon", "eagle"):
                shop.serve(host, f"{PLAIN}# {name}\n", name=name)
                await in_service(host, name)
            known = host._premises.standbys
            await until(lambda: len(known._profiles) == 2)
            assert len(known._wishes) == 1
            waiting = await one_waits(host)
            assert await restarted(host, "eagle") == waiting

    asyncio.run(story())


@pytest.mark.parametrize("milliseconds", [0, 15, 40])
def test_a_host_that_is_killed_about_the_hand_over_leaves_one_worker(shop, lone_host, milliseconds):
    """Whatever the instant was: it is the successor's worker, or it is gone."""

    async def story():
        host = shop.host()
        await host.start()
        shop.serve(host, PLAIN)
        await in_service(host)
        (first,) = pids(host)
        await host.abandon()
        lone = lone_host()
        os.kill(first, signal.SIGKILL)  # what is adopted has told a host that is gone
        # The second worker may be a process that waited: then another one waits in its place.
        second = await until(lambda: ready(shop) and successor_of(shop, first))
        second.kill()
        await asyncio.sleep(milliseconds / 1000)
        lone.kill()
        lone.wait()
        async with running(shop) as successor:
            await in_service(successor)
            assert await asked(successor) == "none"
            assert [each.pid for each in shop.processes()] == pids(successor)

    asyncio.run(story())


@pytest.mark.parametrize("before", [True, False], ids=["takes it first", "is found first"])
def test_an_order_of_a_host_that_is_dead_by_then(shop, monkeypatch, before):
    """Taken before the successor looks, it is adopted; found waiting, it is ended."""

    async def story():
        host = shop.host()
        await host.start()
        shop.serve(host, PLAIN)
        await in_service(host)
        stuck = await one_waits(host)
        os.kill(stuck, signal.SIGSTOP)
        os.kill(pids(host)[0], signal.SIGKILL)
        await until(lambda: host.standbys() == ())
        # What follows in that same step of the host's is the order, which nobody reads yet.
        monkeypatch.setattr(Standby, "end", _let_go)
        await host.abandon()
        if before:
            os.kill(stuck, signal.SIGCONT)
            await until(shop.processes)
        async with running(shop) as successor:
            if not before:
                assert not alive(stuck)
            await in_service(successor)
            assert (pids(successor) == [stuck]) is before
            assert [each.pid for each in shop.processes()] == pids(successor)
            assert await asked(successor) == "none"

    asyncio.run(story())


async def _let_go(self):
    """Stand for the death of a host, which ends nothing itself."""
    self._line.close()
    self.worker.unwatch()
