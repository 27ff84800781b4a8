"""Reads the templates of an assembly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

_STACK = "aws:cloudformation:stack"


def templates(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the templates of an assembly by the names of their stacks, in the assembly's order.

    Raises InvalidInput where the folder has none.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return {
            name: json.loads((folder / each["properties"]["templateFile"]).read_text("utf-8"))
            for name, each in manifest["artifacts"].items()
            if each["type"] == _STACK
        }
    except (OSError, ValueError, KeyError) as error:
        raise InvalidInput(
            f"{folder} is no assembly of stacks: {error!r}",
            field="folder",
            hint="write one: parkade cloud synth --no-bundle --out cdk.out",
        ) from error
