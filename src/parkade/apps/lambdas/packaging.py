"""`python -m parkade.apps.lambdas.packaging`: writes what functions know of the API and the settings.

Functions that begin quickly import neither FastAPI nor pydantic. What they have to know of both is
written here, from the one table of routes that the API itself admits callers by and from the one
set of defaults, and packaged with them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from parkade.apps.api.app import create_app
from parkade.apps.lambdas.leanfile import DEFAULTS, ROLES
from parkade.apps.serverfile import ServerFile

FOLDER = Path(__file__).with_name("packaged")


def contents() -> dict[str, str]:
    """Return the files by name."""
    return {DEFAULTS: _json(ServerFile().model_dump(mode="json")), ROLES: _json(roles())}


def roles() -> dict[str, str]:
    """Return the role that each operation of the API needs, by `METHOD /path`; none: `none`."""
    # The description is all that is asked for, and no service is for that.
    services: Any = None
    paths = create_app(services).openapi()["paths"]
    return {
        f"{method.upper()} {path}": operation["x-role"]
        for path, operations in paths.items()
        for method, operation in operations.items()
    }


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in contents().items():
        (FOLDER / name).write_text(content, encoding="utf-8")


def _json(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    main()
