"""Templates as they were looked at last: what differs is to be seen in a review, and not in an account.

`make snapshots` writes them anew. Digests of code, which change with every line of Python, are left out.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from parkade.apps import settings
from tests.infra.synthesizing import synthesized

FOLDER = Path(__file__).parent / "snapshots"
#: A project with something for every stack.
WHOLE = Path(__file__).parent / "whole"
_DIGEST = re.compile(r"[0-9a-f]{64}")
#: Logical ids that end with a digest of what they stand for: versions, deployments.
_VERSIONED = re.compile(r"((?:CurrentVersion|Deployment)[0-9A-F]{8})[0-9a-f]{32}")


def whole():
    """Return the assembly of the whole project."""
    files = {
        path.relative_to(WHOLE).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(WHOLE.rglob("*"))
        if path.is_file()
    }
    return synthesized(files.pop("parkade.yaml"), files=tuple(files.items()))


def templates() -> dict[str, str]:
    """Return the templates by the names of the stacks' titles, as they are kept."""
    assembly = whole()
    return {
        name.removeprefix(f"{assembly.prefix}-"): kept(
            (assembly.folder / f"{name}.template.json").read_text(encoding="utf-8")
        )
        for name in assembly.stacks
    }


def kept(template: str) -> str:
    """Return a template as it is kept: without digests, in one form."""
    plain = _VERSIONED.sub(r"\1", _DIGEST.sub("DIGEST", template))
    return json.dumps(json.loads(plain), indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Write them anew; those of stacks that are gone go."""
    settings.let_cdk_find_node(validates=False)
    FOLDER.mkdir(exist_ok=True)
    found = templates()
    for path in FOLDER.glob("*.json"):
        if path.stem not in found:
            path.unlink()
    for title, text in found.items():
        (FOLDER / f"{title}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
