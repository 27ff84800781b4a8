"""Start a worker: load the model folder, then serve it.

The socket appears when the model is loaded, so whoever can connect is answered. What fails
before that is told on standard error, the reason in the last line, with exit status 1.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import gc
import os
import sys
import traceback
from pathlib import Path

import uvloop

from .imports import Outset
from .invocations import Invocations
from .line import Line
from .script import BadModel, load
from .server import serve
from .variables import max_body


def main() -> None:
    """Run until SIGTERM."""
    waiting = argparse.ArgumentParser(add_help=False)
    waiting.add_argument("--wait", type=int)
    descriptor = waiting.parse_known_args()[0].wait
    line = None if descriptor is None else Line(descriptor)
    if line is not None:
        from .reserve import wait  # noqa: PLC0415 - what it needs, no other worker does

        sys.argv[1:] = wait(line)
    options = _parser().parse_args()
    outset = Outset.here()
    # A model's native code may crash; then the log at least says where.
    faulthandler.enable()
    try:
        body = max_body(os.environ)
        script = load(options.model_dir.resolve(), os.environ)
    except BadModel as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        sys.exit(str(error))
    # The model and its libraries stay; the collector need not look at them again.
    gc.collect()
    gc.freeze()
    telling = None
    if line is not None:
        telling = _tell(line, None)
    elif options.line is not None:
        telling = _tell(Line(options.line), outset)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(Invocations(script), options.socket, max_body=body, listening=telling))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="parkade_container",
        description="Serve a model folder on a unix socket.",
        epilog="With --wait FD alone: import what is asked for there, then wait for arguments.",
    )
    parser.add_argument("--socket", type=Path, required=True, help="where to listen")
    parser.add_argument("--model-dir", type=Path, required=True, help="the unpacked model data")
    parser.add_argument("--line", type=int, metavar="FD", help="where to say that it listens")
    return parser


async def _tell(line: Line, outset: Outset | None) -> None:
    """Say that it listens, and what the model brought if that is not known."""
    await line.tell({"listens": True})
    if outset is not None:
        await line.tell(outset.report())
    line.close()


if __name__ == "__main__":
    main()
