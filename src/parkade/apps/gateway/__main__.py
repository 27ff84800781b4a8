"""`python -m parkade.apps.gateway`, as the supervisor starts it."""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from parkade.adapters.system.clock import SystemClock
from parkade.apps import logs
from parkade.apps.gateway.process import Gateway, Options, Patience

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Objects that may be made before the collector looks for cycles.
COLLECTED = 20_000
#: Open connections are open files; more than this many are nobody's.
FILES = 65_536
#: Seconds that the thread that writes captured calls may keep the event loop waiting; Python's own
#: number is ten times as much.
SWITCH = 0.0005


def main(arguments: Sequence[str], patience: Patience | None = None) -> None:
    """Serve until told to stop."""
    options = _options(arguments)
    logs.to_standard_error()
    _allow_files()
    # What is there now stays, and what a request makes has no cycles once it is answered: the
    # collector need not look at the one again and again, nor often at the other.
    gc.freeze()
    gc.set_threshold(COLLECTED)
    sys.setswitchinterval(SWITCH)
    uvloop.run(_run(options, patience or Patience()))


async def _run(options: Options, patience: Patience) -> None:
    clock = SystemClock()
    gateway = Gateway(
        asyncio.get_running_loop(), options, patience, lambda: clock.now().timestamp()
    )
    await gateway.run()


def _options(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m parkade.apps.gateway", description=__doc__)
    parser.add_argument("--public-fd", type=int, required=True)
    parser.add_argument("--inside-fd", type=int, required=True)
    parser.add_argument("--control-sock", required=True)
    parser.add_argument("--link-sock", required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--lifeline", type=int, required=True)
    parser.add_argument("--objects", type=Path, required=True)
    parser.add_argument("--spools", type=Path, required=True)
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    given = parser.parse_args(arguments)
    return Options(
        public=given.public_fd,
        inside=given.inside_fd,
        control_socket=given.control_sock,
        link_socket=given.link_sock,
        key=bytes.fromhex(given.key_file.read_text(encoding="ascii").strip()),
        lifeline=given.lifeline,
        objects=given.objects,
        spools=given.spools,
        tls_cert=given.tls_cert,
        tls_key=given.tls_key,
    )


def _allow_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main(sys.argv[1:])
