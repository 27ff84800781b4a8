"""Wakes of a host alone: from its order to the answer of the worker, by each way to a worker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from wakerig import Times, answered, packed

from parkade.adapters.folder.objects import FolderObjects
from parkade.adapters.sqlite.catalog import SqliteCatalogStore
from parkade.adapters.sqlite.database import Database
from parkade.adapters.sqlite.events import SqliteHistory
from parkade.adapters.system.clock import SystemClock
from parkade.domain.catalog import Container, EndpointConfig, Model, Variant
from parkade.runtime import environments, furnishing, places, standbys, workers
from parkade.runtime.host import Host
from parkade.runtime.rules import HostPaths, HostRules, Reserve

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping

#: The ways to a worker: whether it talks, and how many standby processes there are.
WAYS = {"forked, asked": (False, 0), "forked, says so": (True, 0), "standby": (True, 1)}
#: What a wake consists of, each to its end.
STAGES = ("prepared", "process", "well")
TITLES = (
    *("record, digest", "process", "imports, model, ping", "answer"),
    *("whole", "processor of the worker"),
)


class Marks:
    """Notes when a wake gets to each of its stages."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    def set(self, name: str) -> None:
        """Note that it is there now, unless it was already."""
        self.at.setdefault(name, time.perf_counter())

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Put notes into the host's own steps."""
        host: Any = standbys.Standbys
        place: Any = places.Place
        furnish, spawn, take, be_well = (
            furnishing.furnish, workers.spawn, host.take, place._be_well,  # noqa: SLF001
        )  # fmt: skip

        def furnished(*given: Any) -> Any:
            self.set("prepared")
            return furnish(*given)

        def spawned(*given: Any, **named: Any) -> Any:
            found = spawn(*given, **named)
            self.set("process")
            return found

        async def taken(*given: Any) -> Any:
            found = await take(*given)
            if found is not None:
                self.set("process")
            return found

        def well(*given: Any, **named: Any) -> None:
            self.set("well")
            be_well(*given, **named)

        def put(*those: Any) -> None:
            furnishing.furnish, workers.spawn, host.take, place._be_well = those  # noqa: SLF001

        put(furnished, spawned, taken, well)
        try:
            yield
        finally:
            put(furnish, spawn, take, be_well)


async def _at_once() -> None:
    """There are no gateways to wait for."""


def a_host(folder: Path, way: str) -> Host:
    """Make a host whose workers come by this way."""
    talks, waiting = WAYS[way]

    def command(*given: Any, **named: Any) -> environments.ScriptCommand:
        return replace(environments.script_command(*given, **named), talks=talks)

    database = Database(folder / "parkade.db")
    sockets = Path(tempfile.mkdtemp(prefix="pk-"))
    return Host(
        SqliteCatalogStore(database),
        FolderObjects(folder / "objects"),
        SqliteHistory(database),
        SystemClock(),
        HostPaths(
            models=folder / "models",
            work=folder / "work",
            logs=folder / "logs",
            sockets=sockets,
            cache=folder / "cache",
        ),
        HostRules(reserve=Reserve(processes=waiting, quiet=timedelta(0))),
        state_id=str(folder),
        changed=lambda: None,
        released=_at_once,
        base_environment={"PATH": os.environ["PATH"]},
        containers={"script": command},
    )


def deploy(host: Host, folder: Path, content: bytes) -> None:
    """Put the model and begin to create an endpoint of it."""
    with FolderObjects(folder / "objects").writer("bench", "model.tar.gz") as writer:
        writer.write(content)
        writer.commit()
    now = datetime.now(UTC)
    container = Container(image="sagemaker-scikit-learn", data_url="s3://bench/model.tar.gz")
    host.create_model(Model(name="m", containers=(container,), created_at=now), "bench")
    variant = Variant(name="blue", model_name="m", instance_type="ml.c5.large")
    host.create_config(EndpointConfig(name="c", variants=(variant,), created_at=now), "bench")
    host.create_endpoint("e", "c", "bench")


async def until(condition: Callable[[], Any]) -> Any:
    """Return what the condition gives, once it gives anything."""
    deadline = time.monotonic() + 120
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise SystemExit("it takes too long")
        await asyncio.sleep(0.0005)
    return found


async def hosts(options: argparse.Namespace, folder: Path) -> None:
    """Print how long wakes of the host take, and what a standby process holds."""
    content = packed(options.model)
    made = {}
    for number, way in enumerate(WAYS):
        (folder / f"host-{number}").mkdir()
        made[way] = a_host(folder / f"host-{number}", way)
        await made[way].start()
        deploy(made[way], folder / f"host-{number}", content)
    try:
        await _rounds(options, made)
    finally:
        await asyncio.gather(*(host.close() for host in made.values()))


async def _rounds(options: argparse.Namespace, made: Mapping[str, Host]) -> None:
    for host in made.values():
        await until(lambda: host.fleets()["e"].variants[0].instances)  # noqa: B023
    times, memory = Times(), []
    for _ in range(options.rounds):
        for way, host in made.items():
            host.sleep_endpoint("e", "bench")
            await until(lambda: not host.instances("e"))  # noqa: B023
            before = 0.0
            if WAYS[way][1]:
                (pid,) = await until(host.standbys)
                memory.append(psutil.Process(pid).memory_full_info())
                before = processor(pid)
            await wake(host, way, times, options.body.encode())
            (worker,) = host.instances("e")
            times.add(way, TITLES[-1], processor(worker.pid or 0) - before)
    print("\nFrom the order to wake, to the host, to the worker's answer: median (quickest), ms\n")
    times.show(TITLES)
    held = memory[0]
    print(f"\nA standby process: {held.rss / 1e6:.0f} MB, of which {held.uss / 1e6:.0f} its own")


async def wake(host: Host, way: str, times: Times, body: bytes) -> None:
    """Wake the endpoint once and note what took how long."""
    marks = Marks()
    with marks.watching():
        begun = before = time.perf_counter()
        host.wake_endpoint("e", "bench")
        instances = await until(lambda: host.fleets()["e"].variants[0].instances)
        await asyncio.to_thread(answered, instances[0].addresses[0], body)
        marks.set("answered")
    for stage, title in zip((*STAGES, "answered"), TITLES, strict=False):
        times.add(way, title, marks.at[stage] - before)
        before = marks.at[stage]
    times.add(way, "whole", before - begun)


def processor(pid: int) -> float:
    """Return the seconds of processor time that the process has had, which no other work lengthens."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in tasks) / 1e9
