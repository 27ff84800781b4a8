"""A container of many models that a test can look into, and the rest of what placement needs.

It speaks the multi-model contract over a unix socket and has room for so many models.
"""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
from contextlib import asynccontextmanager
from pathlib import Path

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.objects import MemoryObjects
from parkade.runtime.placement import Placement
from parkade.runtime.shelves import Place
from parkade.runtime.targetdata import TargetData
from tests.builders import NOW

PREFIX = "s3://models/many"


class Many:
    """The container; `room` models fit in."""

    def __init__(self, path, room=100):
        self.path = path
        self.room = room
        self.models = {}
        self.log = []
        #: Loads wait for it.
        self.go = asyncio.Event()
        self.go.set()
        self.refusal = None
        #: Called for a load, over which the connection breaks, as where the process ends.
        self.fatal = None
        #: Whether the name of a model that did not get in is kept, and those that are.
        self.keeps_names = False
        self.kept = set()
        self._server = None

    async def start(self):
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def stop(self):
        self._server.close()
        self.models.clear()

    async def _serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n")[0].split()
        length = next(
            (
                int(line.split(":")[1])
                for line in head.lower().split("\r\n")
                if "content-length" in line
            ),
            0,
        )
        body = await reader.readexactly(length)
        if method == "POST" and self.fatal is not None:
            self.fatal()
            writer.close()
            return
        status, body = await self._answer(method, target, body)
        text = json.dumps(body).encode()
        writer.write(
            b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            % (status, len(text))
        )
        writer.write(text)
        await writer.drain()
        writer.close()

    async def _answer(self, method, target, body):
        if method == "GET":
            models = [{"modelName": name, "modelUrl": url} for name, url in self.models.items()]
            page = int(target.partition("next_page_token=")[2] or 0)
            following = {"nextPageToken": str(page + 2)} if page + 2 < len(models) else {}
            return 200, {"models": models[page : page + 2], **following}
        if method == "DELETE":
            name = target.rpartition("/")[2]
            self.log.append(("unload", name))
            found = name in self.kept or name in self.models
            self.kept.discard(name)
            self.models.pop(name, None)
            return (200, {}) if found else (404, {})
        values = json.loads(body)
        name, url = values["model_name"], values["url"]
        self.log.append(("load", name))
        await self.go.wait()
        if self.refusal is not None:
            return self.refusal
        if name in self.models or name in self.kept:
            return 409, {"message": "it is loaded"}
        if len(self.models) >= self.room:
            if self.keeps_names:
                self.kept.add(name)
            return 507, {"message": "there is no room"}
        self.models[name] = url
        return 200, {"memoryBytes": 1000}

    def contents(self):
        """What is loaded, by the text of its file."""
        return sorted(Path(url, "what").read_text() for url in self.models.values())


class Board:
    """The gateways, which have nothing under way unless a test says so."""

    def __init__(self):
        self.shown = {}
        self.log = []
        self.busy = {}

    def placed(self, copy):
        self.log.append(("placed", copy.place.instance_id, copy.target))
        self.shown[copy.place.instance_id, copy.target] = copy.stored.name

    async def withdrawn(self, copy):
        key = copy.place.instance_id, copy.target
        self.log.append(("withdrawn", *key))
        if self.shown.get(key) == copy.stored.name:
            del self.shown[key]
        if copy.target in self.busy:
            await self.busy[copy.target].wait()

    def vanished(self, instance_id):
        self.log.append(("vanished", instance_id))
        for key in [key for key in self.shown if key[0] == instance_id]:
            del self.shown[key]


def packed(text):
    """An archive with one file, `what`, that holds the text."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        member = tarfile.TarInfo("what")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return file.getvalue()


class Yard:
    """Placement over containers `a`, `b` ... of one variant."""

    def __init__(self, folder, *, rooms=(100,), caches=True):
        self.folder = folder
        self.caches = caches
        self.clock = ManualClock(NOW)
        self.objects = MemoryObjects(self.clock)
        self.board = Board()
        self.settings = {}
        self.containers = {
            name: Many(folder / f"{name}.sock", room)
            for name, room in zip("abcd", rooms, strict=False)
        }
        #: Of instances that are of another than the first.
        self.generations = {}
        self.data = None
        self.placement = None

    def place(self, name):
        return Place(
            instance_id=name,
            endpoint_name="many",
            variant_name="AllTraffic",
            generation=self.generations.get(name, 1),
            address=str(self.containers[name].path),
            prefix=PREFIX,
            caches=self.caches,
        )

    def places(self):
        return [self.place(name) for name in self.containers]

    def put(self, target, text="one"):
        with self.objects.writer("models", f"many/{target}") as writer:
            writer.write(packed(text) if isinstance(text, str) else text)
            writer.commit()

    async def begin(self):
        """Begin, or come back as a control process does."""
        self.data = TargetData(self.objects, self.folder / "targets", limit=lambda: 10**6, loads=2)
        self.placement = Placement(
            self.data,
            self.board,
            self.clock,
            setting=lambda endpoint, target: self.settings.get((endpoint, target)),
        )
        await self.placement.start(self.places())
        await until(lambda: len(self.placement.shelves()) == len(self.containers))

    def holders(self, target):
        return sorted(name for name, of in self.board.shown if of == target)


async def until(what):
    async with asyncio.timeout(60):
        while not what():
            await asyncio.sleep(0.002)


@asynccontextmanager
async def yard(folder, **options):
    built = Yard(folder, **options)
    for container in built.containers.values():
        await container.start()
    await built.begin()
    try:
        yield built
    finally:
        await built.placement.close()
        for container in built.containers.values():
            await container.stop()
