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
from typing import TYPE_CHECKING

import uvloop

from .invocations import Invocations
from .script import BadModel, load
from .server import serve
from .variables import max_body

if TYPE_CHECKING:
    from .script import Script


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="parkade_container", description="Serve a model folder on a unix socket."
    )
    parser.add_argument("--socket", type=Path, required=True, help="where to listen")
    parser.add_argument("--model-dir", type=Path, required=True, help="the unpacked model data")
    options = parser.parse_args()
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
    _run(script, options.socket, body)


def _run(script: Script, socket: Path, body: int | None) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(Invocations(script), socket, max_body=body))


if __name__ == "__main__":
    main()
