"""A host with everything around it: a folder of its own, objects, a store, quick patience."""

import asyncio
import io
import os
import shutil
import sys
import tarfile
import tempfile
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil

from parkade.adapters.folder.objects import FolderObjects
from parkade.adapters.sqlite.catalog import SqliteCatalogStore
from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.events import SqliteHistory
from parkade.adapters.system.clock import SystemClock
from parkade.domain.alarm import State
from parkade.ports.events import EventQuery
from parkade.runtime import leftovers
from parkade.runtime.environments import ScriptCommand
from parkade.runtime.host import Host
from parkade.runtime.premises import no_alarm
from parkade.runtime.rules import HostPaths, HostRules, Patience, Reserve
from tests.builders import a_config, a_model, a_variant, an_alarm

TINY = Path(__file__).with_name("tiny_container.py")

#: Real faults, in a hurry; what a busy machine may be slow with has time.
QUICK = Patience(
    startup=timedelta(seconds=60),
    between_pings=timedelta(seconds=0.05),
    silence=timedelta(seconds=60),
    grace=timedelta(seconds=60),
    first_backoff=timedelta(seconds=0.01),
    longest_backoff=timedelta(seconds=0.1),
)


#: Standby processes of every host, so that all its tests can be run with some: set it and see.
STANDBYS = int(os.environ.get("PARKADE_TEST_STANDBYS", "0"))


#: Statuses that pass by themselves, and in the end are InService.
COMING = {"Creating", "SystemUpdating", "Updating", "RollingBack"}


def tiny(model_dir, *, cache, log, halt, environment):
    """Start the tiny container; -S -E make it quick."""
    return ScriptCommand(argv_prefix=[sys.executable, "-S", "-E", str(TINY)], env={}, talks=True)


def an_archive(**files):
    """Return a model.tar.gz with these files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


async def _at_once():
    """Let go at once."""


class Home:
    """What is there before and after a host; `host` makes one on it."""

    def __init__(self, folder, **rules):
        self.folder = folder
        self.state_id = f"test-{folder}"
        self.clock = SystemClock()
        self.objects = FolderObjects(folder / "objects")
        self.database = Database(folder / "parkade.db")
        self.store = SqliteCatalogStore(self.database)
        self.history = SqliteHistory(self.database)
        # A socket's path has to be short.
        self.short = Path(tempfile.mkdtemp(prefix="pk-"))
        self.paths = HostPaths(
            models=folder / "models",
            work=folder / "work",
            logs=folder / "logs",
            sockets=self.short,
            cache=folder / "cache",
        )
        reserve = Reserve(processes=STANDBYS, quiet=timedelta(0))
        self.rules = HostRules(**{"patience": QUICK, "reserve": reserve, **rules})
        self.containers = {"script": tiny}
        self.alarms = {}
        self.changes = 0
        self.releases = []
        self.on_release = _at_once
        self._host = None

    def patient(self, **changes):
        """Change how long is waited."""
        self.rules = replace(self.rules, patience=replace(self.rules.patience, **changes))
        return self

    def host(self):
        self._host = Host(
            self.store,
            self.objects,
            self.history,
            self.clock,
            self.paths,
            self.rules,
            state_id=self.state_id,
            changed=self._changed,
            released=self._released,
            base_environment={"PATH": "/usr/bin:/bin", "PARKADE_TOKEN": "secret"},
            containers=self.containers,
            alarm=self.alarm,
        )
        return self._host

    def alarm(self, name):
        """Return what the alarm says; one that was never set is not there."""
        return self.alarms[name] if name in self.alarms else no_alarm(name)

    def sound(self, name, state=State.ALARM):
        """Have the alarm say so, and the host hear of it."""
        self.alarms[name] = state
        self._host.heed(an_alarm(name).saying(state, "so it was said", "", self.clock.now()))

    def _changed(self):
        self.changes += 1

    async def _released(self):
        """Remember what gateways went by when they let go, and how many processes ran."""
        self.releases.append((self._host.fleets(), len(self.processes())))
        await self.on_release()

    def put(self, key="model.tar.gz", content=None):
        with self.objects.writer("models", key) as writer:
            writer.write(an_archive(weights="1 2 3") if content is None else content)
            writer.commit()

    def deploy(self, host, *, name="falcon", instances=1, content=None, **environment):
        """Push a model, configure and begin to create an endpoint of it."""
        variant = self.variant(host, name, instances=instances, content=content, **environment)
        host.create_config(a_config(f"{name}-config", variants=(variant,)), "ann")
        host.create_endpoint(name, f"{name}-config", "ann")

    def variant(
        self, host, name="falcon", *, called="blue", instances=1, content=None, **environment
    ):
        """Push a model and make a variant of it."""
        self.put(f"{name}.tar.gz", content)
        host.create_model(
            a_model(
                f"{name}-model",
                image="sagemaker-scikit-learn",
                data_url=f"s3://models/{name}.tar.gz",
                environment=environment,
            ),
            "ann",
        )
        return a_variant(called, model_name=f"{name}-model", instance_count=instances)

    def configure(self, host, name, **options):
        """Make the config `{name}-config` of a new model; return its name."""
        variant = self.variant(host, name, **options)
        host.create_config(a_config(f"{name}-config", variants=(variant,)), "ann")
        return f"{name}-config"

    def kinds(self, *prefixes):
        """Return the kinds of all events so far."""
        events = self.history.read(EventQuery(kinds=prefixes, limit=10_000))
        return [event.kind for event in events]

    def processes(self):
        """Return those of workers, with what they have forked."""
        return [each.process for each in leftovers.find(self.state_id) if each.instance_id]

    def waiting(self):
        """Return those that wait to become workers, or prepare something."""
        return [each.process for each in leftovers.find(self.state_id) if not each.instance_id]

    def close(self):
        for process in self.processes() + self.waiting():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.database.close()
        shutil.rmtree(self.short)


@asynccontextmanager
async def running(home):
    """Start a host and close it in the end, whatever happened."""
    host = home.host()
    await host.start()
    try:
        yield host
    finally:
        await host.close()


async def until(condition, *, limit=60.0):
    """Wait until the condition is true and return what it gave."""
    deadline = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{limit} s were not enough"
        await asyncio.sleep(0.005)
    return found


def status(host, name="falcon"):
    """Return the endpoint's status, or an empty text."""
    observed = host.observed().get(name)
    return str(observed.status) if observed else ""


def pids(host, name="falcon"):
    return [instance.pid for instance in host.instances(name)]


async def in_service(host, name="falcon"):
    await until(lambda: status(host, name) not in COMING)
    assert status(host, name) == "InService", host.observed()[name].failure_reason
    await until(lambda: host.observed()[name].healthy == host.observed()[name].wanted)


async def gone(host, name="falcon"):
    await until(lambda: not status(host, name))


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
