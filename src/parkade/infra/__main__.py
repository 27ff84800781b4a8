"""`python -m parkade.infra`: write the assembly of a project file.

The CDK's own command line runs it by cdk.json, and says by context what options say here:
`cdk synth -c file=parkade.yaml -c stage=prod`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from parkade.apps import settings
from parkade.apps.cli import render
from parkade.apps.projectfile.problem import BadFile
from parkade.domain.errors import ParkadeError
from parkade.infra.estate import Options, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Synthesize; return 1 where something was refused, which is said on standard error."""
    asked = _parser().parse_args(arguments)
    try:
        settings.let_cdk_find_node(validates=not asked.unchecked)
        context = settings.cdk_context()
        estate = read(
            Path(asked.file or context.get("file", "parkade.yaml")),
            stage=asked.stage or context.get("stage"),
            environment=settings.variables(),
            server=_path(asked.config or context.get("config")),
            options=Options(
                bundles=not (asked.no_bundle or _said(context, "no-bundle")),
                retains=not (asked.no_retain or _said(context, "no-retain")),
            ),
        )
        # Importing it starts a node process, and takes seconds: what is wrong with a file is told before.
        from parkade.infra import application  # noqa: PLC0415

        application.synthesize(estate, out=asked.out)
    except ParkadeError as error:
        if isinstance(error, BadFile):
            render.problems(error.lines)
        else:
            render.problem(error)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m parkade.infra", description=__doc__)
    parser.add_argument("--file", help="the project's file; else parkade.yaml of this folder")
    parser.add_argument("--stage", help="stage of the file")
    parser.add_argument("--config", help="a server.yaml, with the settings of the functions")
    parser.add_argument("--out", type=Path, help="folder of the assembly; else the CDK's own")
    parser.add_argument(
        "--no-bundle",
        action="store_true",
        help="leave the functions' libraries out: needs no network, and cannot be deployed",
    )
    parser.add_argument(
        "--no-retain", action="store_true", help="tables and buckets go with their stacks"
    )
    parser.add_argument(
        "--unchecked",
        action="store_true",
        help="leave the CDK's own validator out, which takes seconds",
    )
    return parser


def _path(given: str | None) -> Path | None:
    return Path(given) if given else None


def _said(context: Mapping[str, str], key: str) -> bool:
    return str(context.get(key, "")).lower() in {"true", "1", "yes"}


if __name__ == "__main__":
    sys.exit(main())
