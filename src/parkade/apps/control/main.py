"""The control process, as the supervisor starts it, which hands over its sockets."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import uvloop

from parkade.apps import logs
from parkade.apps.collecting import uncollected
from parkade.apps.control.process import ControlProcess, Inheritance, hold
from parkade.apps.settings import Settings, server_settings


def main() -> None:
    """Run the control process."""
    parser = argparse.ArgumentParser(prog="parkade control")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--no-auth", action="store_true")
    parser.add_argument("--time-scale", type=float, default=1.0)
    parser.add_argument("--control-fd", type=int, required=True)
    parser.add_argument("--link-fd", type=int, required=True)
    parser.add_argument("--lifeline", type=int, required=True)
    given = parser.parse_args()
    logs.to_standard_error()
    settings = server_settings(
        state=given.state,
        config=given.config,
        auth=not given.no_auth,
        time_scale=given.time_scale,
    )
    hold(settings)
    inheritance = Inheritance(control=given.control_fd, link=given.link_fd, lifeline=given.lifeline)
    logging.getLogger(__name__).info("control process started")
    uvloop.run(_run(settings, inheritance))


async def _run(settings: Settings, inheritance: Inheritance) -> None:
    with uncollected():
        process = ControlProcess(settings, inheritance)
    await process.run()
