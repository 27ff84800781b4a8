"""Start a container of many models: `python -m parkade.runtime.container.multi`.

It listens at once, without a model; models are loaded when it is told to. What it lacks to begin
is told on standard error, with exit status 1.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from . import memory
from .budget import Budget
from .directory import Directory
from .models import Models
from .script import BadModel
from .server import serve
from .variables import MIB, max_body, whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A thread that loads holds up the loop for at most as long, each time the loop is to go on.
SWITCH_SECONDS = 0.001
#: As SageMaker's toolkits have it.
STARTUP_SECONDS = 600


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="parkade_container.multi", description="Serve many models on a unix socket."
    )
    parser.add_argument("--socket", type=Path, required=True, help="where to listen")
    parser.add_argument(
        "--models-dir", "--model-dir", type=Path, required=True, help="where relative urls lead"
    )
    parser.add_argument(
        "--memory-bytes", type=int, help="what the process may take with all models"
    )
    options = parser.parse_args()
    faulthandler.enable()
    try:
        megabytes = whole_number(os.environ, "PARKADE_MODELS_MEMORY_MB")
        limit = options.memory_bytes if megabytes is None else megabytes * MIB
        patience = whole_number(os.environ, "SAGEMAKER_STARTUP_TIMEOUT") or STARTUP_SECONDS
        body = max_body(os.environ)
    except BadModel as error:
        sys.exit(str(error))
    memory.use_one_heap()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(options.models_dir.resolve(), options.socket, limit, patience, body))


async def _serve(
    folder: Path, socket: Path, limit: int | None, patience: float, body: int | None
) -> None:
    environ: Mapping[str, str] = os.environ
    models = Models(Budget(limit), environ, patience=patience)
    await serve(Directory(models, folder), socket, max_body=body)


if __name__ == "__main__":
    main()
