"""`python -m parkade.apps.reference DOCS`: writes the manual's pages that are made from the code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args, get_origin

from pydantic import BaseModel

from parkade.apps import projectpages
from parkade.apps.projectfile import schema
from parkade.apps.serverfile import ServerFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

_HEAD = """# Configuration

<!-- Made by `make docs` from src/parkade/apps/serverfile.py and sections/; change it there. -->

`server.yaml` holds the settings of the server alone. It is read from the state folder, or from
the file that `parkade up --config FILE` names. Endpoints, routes and leases are data and are set
through the API. Unknown keys are refused by name. `parkade reload`, or SIGHUP, takes up a change
without a lost request.

| setting | default | meaning |
| --- | --- | --- |
"""

_TAIL = """
## Environment

| variable | read by | meaning |
| --- | --- | --- |
| `PARKADE_STATE` | server, CLI | the state folder, where `--state` names none |
| `PARKADE_URL` | CLI | where the server is; left out: the one that runs on the state folder |
| `PARKADE_TOKEN` | CLI | the token; left out: the admin token of the state folder |

## Example

```yaml
images:
  "registry.example.com/team/*": script
limits:
  workers: 16
warnings:
  minutes: [30, 5]
  webhook: https://hooks.example.com/parkade
```
"""


def configuration() -> str:
    """Return docs/configuration.md."""
    return _HEAD + "".join(_rows(ServerFile, "")) + _TAIL


def _rows(section: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        inner = _section(field)
        if inner is not None:
            several = "[]" if get_origin(field.annotation) is list else ""
            yield from _rows(inner, f"{prefix}{name}{several}.")
        else:
            default = "required" if field.is_required() else json.dumps(field.get_default())
            yield f"| `{prefix}{name}` | `{default}` | {field.description} |\n"


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kinds = (field.annotation, *get_args(field.annotation))
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)


def main() -> None:
    """Write the pages into the folder that is named."""
    folder = Path(sys.argv[1])
    (folder / "configuration.md").write_text(configuration(), encoding="utf-8")
    (folder / "project-reference.md").write_text(projectpages.reference(), encoding="utf-8")
    (folder / schema.ID).write_text(projectpages.published(), encoding="utf-8")


if __name__ == "__main__":
    main()
