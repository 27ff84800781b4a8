"""Workers for the benchmark.

    workers.py raw --port N --socket PATH        the barest worker that still parses JSON
    workers.py container DIR --port N            the script container's own server, on TCP

The container itself listens on a unix socket only, which wrk does not speak; the second form puts
the same server before the same script on a port, so that it can be called directly.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

import httptools
import uvloop

from parkade.runtime.container.connection import Connection
from parkade.runtime.container.invocations import Invocations
from parkade.runtime.container.script import load
from parkade.runtime.container.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


class Bare(asyncio.Protocol):
    """Answers every request with the length of its text."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._parser.feed_data(data)

    def on_body(self, chunk: bytes) -> None:
        """Keep a piece of the body."""
        self._body.append(chunk)

    def on_message_complete(self) -> None:
        """Answer."""
        body = b"".join(self._body)
        self._body.clear()
        text = json.loads(body)["text"]
        answer = json.dumps({"ok": True, "n": len(text)}).encode()
        self._transport.write(_HEAD % (len(answer), answer))


async def _serve(factory: Callable[[], asyncio.Protocol], port: int, path: Path | None) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(factory, "127.0.0.1", port, backlog=1024)
    if path is not None:
        await loop.create_unix_server(factory, str(path), backlog=1024)
        path.chmod(0o777)  # noqa: ASYNC240  a local name; nginx's worker may run as another user
    await asyncio.Event().wait()


async def _container(folder: Path, port: int) -> None:
    script = load(folder, os.environ)
    server = Server(Invocations(script), max_body=None)
    await _serve(lambda: Connection(server), port, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("raw", "container"))
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--socket", type=Path)
    given = parser.parse_args()
    if given.kind == "raw":
        uvloop.run(_serve(Bare, given.port, given.socket))
    else:
        uvloop.run(_container(given.folder.resolve(), given.port))


if __name__ == "__main__":
    main()
