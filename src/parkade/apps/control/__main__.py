"""`python -m parkade.apps.control`: started by the supervisor, which hands over its sockets."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from parkade.apps.collecting import uncollected

if TYPE_CHECKING:
    from parkade.apps.control.process import Inheritance
    from parkade.apps.settings import Settings


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
    with uncollected():
        import uvloop  # noqa: PLC0415  what is imported here is nearly all that a start takes

        from parkade.apps import logs  # noqa: PLC0415
        from parkade.apps.control.process import Inheritance, hold  # noqa: PLC0415
        from parkade.apps.settings import server_settings  # noqa: PLC0415
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
    from parkade.apps.control.process import ControlProcess  # noqa: PLC0415

    with uncollected():
        process = ControlProcess(settings, inheritance)
    await process.run()


if __name__ == "__main__":
    main()
