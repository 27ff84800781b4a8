"""`python -m parkade.infra.costs FOLDER`: what the stacks of an assembly cost."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from parkade.domain.errors import ParkadeError
from parkade.infra.costs import assembly, measured, page, prices, running

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return 1 where something cannot be read, which is said on standard error."""
    asked = _parser().parse_args(arguments)
    try:
        table = prices.read(asked.prices) if asked.prices else prices.packaged()
        stacks = assembly.templates(asked.folder)
    except ParkadeError as error:
        print(error.message, error.hint, sep="\n", file=sys.stderr)  # noqa: T201
        return 1
    parts = {
        "A month at rest": page.at_rest(stacks, table),
        "A month of sweeps, no endpoint": page.bill(running.month(measured.NONE), table),
        "1,000 endpoint-hours": page.bill(running.endpoint_hours(), table),
    }
    for title, lines in parts.items():
        print(f"## {title}", "", *lines, "", sep="\n")  # noqa: T201
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m parkade.infra.costs", description=__doc__)
    parser.add_argument("folder", type=Path, help="the assembly, as `parkade cloud synth` wrote it")
    parser.add_argument("--prices", type=Path, help="a table of unit prices in place of the own")
    return parser


if __name__ == "__main__":
    sys.exit(main())
