"""What the benchmark starts: workers, a gateway with a link but no control process, nginx."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from parkade.apps import link
from parkade.apps.control.link import LinkServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent
TOKEN = "pk_" + secrets.token_urlsafe(32)
#: Above any load: the check runs and never refuses.
PLENTY = 1e9

_NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream worker {{ server unix:{socket}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://worker;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


class Rig:
    """Starts processes and ends them, by their ids, when it is left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._sockets: list[socket.socket] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End everything that was started."""
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        for each in self._sockets:
            each.close()

    def start(
        self,
        command: Sequence[str],
        *,
        descriptors: Sequence[int] = (),
        name: str,
        source: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program; its output goes to a log in the folder.

        `source` is where it finds Parkade, where that is not the Parkade that is installed.
        """
        paths = {} if source is None else {"PYTHONPATH": str(source)}
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, pass_fds=descriptors, stdout=log, stderr=log, env={**os.environ, **paths}
            )
        self._processes.append(process)
        return process

    def python(self, *arguments: str, name: str) -> subprocess.Popen[bytes]:
        """Start a Python program."""
        return self.start([sys.executable, *arguments], name=name)

    def nginx(self, worker: Path) -> tuple[subprocess.Popen[bytes], int] | None:
        """Start nginx before the worker's socket; None where it is not installed."""
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if program is None:
            return None
        port = free_port()
        conf = self.folder / f"nginx-{worker.stem}.conf"
        folder = self.folder / f"nginx-{worker.stem}"
        folder.mkdir()
        self.folder.chmod(0o755)
        conf.write_text(_NGINX.format(folder=folder, socket=worker, port=port))
        return self.start([program, "-c", str(conf)], name=f"nginx-{worker.stem}"), port

    def gateway(
        self,
        endpoints: Mapping[str, link.EndpointView],
        routes: Mapping[str, link.RouteView] | None = None,
        *,
        source: Path | None = None,
    ) -> tuple[subprocess.Popen[bytes], int]:
        """Start the gateway, one for each rig, with these endpoints; see `start` of `source`."""
        key = secrets.token_bytes(32)
        (self.folder / "server.key").write_text(key.hex())
        public = self._keep(socket.create_server(("127.0.0.1", 0), backlog=1024))
        inside, joint = self._listen("gateway.sock"), self._listen("link.sock")
        reading, _ = os.pipe()
        server = LinkServer(joint, on_usage=lambda *_: None, on_gone=lambda _: None, on_event=print)
        asyncio.run_coroutine_threadsafe(server.start(), self._loop).result()
        digest = hmac.new(key, TOKEN.encode(), hashlib.sha256).hexdigest()
        snapshot = link.Snapshot(
            version=1,
            inside=secrets.token_urlsafe(32),
            tokens=(link.TokenView(name="bench", digest=digest, role="invoker"),),
            endpoints=endpoints,
            routes=routes or {},
            limits=link.Limits(rate=PLENTY, burst=PLENTY),
        )
        self._loop.call_soon_threadsafe(server.push, snapshot)
        process = self.start(
            [
                *(sys.executable, "-m", "parkade.apps.gateway"),
                *("--public-fd", str(public.fileno()), "--inside-fd", str(inside.fileno())),
                *("--control-sock", str(self.folder / "control.sock")),
                *("--link-sock", str(self.folder / "link.sock")),
                *("--key-file", str(self.folder / "server.key"), "--lifeline", str(reading)),
                *("--objects", str(self.folder / "objects")),
                *("--spools", str(self.folder / "spools")),
            ],
            descriptors=(public.fileno(), inside.fileno(), reading),
            name="gateway",
            source=source,
        )
        return process, public.getsockname()[1]

    def _listen(self, name: str) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.folder / name))
        listener.listen(128)
        return self._keep(listener)

    def _keep(self, listener: socket.socket) -> socket.socket:
        self._sockets.append(listener)
        return listener


def variant(worker: Path, name: str = "AllTraffic") -> link.VariantRoute:
    """Return a variant that one worker serves."""
    instance = link.InstanceRoute(id=worker.stem, addresses=(str(worker),))
    return link.VariantRoute(name=name, weight=1.0, instances=(instance,))


def endpoint(worker: Path) -> link.EndpointView:
    """Return an endpoint that one worker serves."""
    return link.EndpointView(variants=(variant(worker),))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_answer(url: str, body: str, expected: object, *, seconds: float = 60) -> None:
    """Return once the URL answers as it must."""
    deadline = time.monotonic() + seconds
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    while True:
        try:
            answer = httpx.post(url, content=body, headers=headers)
        except httpx.TransportError as error:
            found: object = repr(error)
        else:
            found = answer.json() if answer.is_success else answer.text
        if found == expected:
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"{url} answers {found!r}, not {expected!r}")
        time.sleep(0.05)
