"""`parkade model test`: runs a model folder's cases where its packages are.

Without `code/requirements.txt` that is this process; with it, a process of the isolated
environment that a worker would get, too.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from parkade.apps.cli import preparing
from parkade.domain.errors import InvalidInput
from parkade.runtime import environments
from parkade.runtime.container import cases
from parkade.runtime.container.cases import CaseResult
from parkade.runtime.container.script import BadModel, code_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: Runs inside the environment: one JSON line a case. What the script prints goes to standard
#: error, so that it cannot be taken for a result.
_PROGRAM = f"""
import dataclasses, json, os, pathlib, sys
from {environments.ALIAS} import cases, script
results = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
try:
    for result in cases.run(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])):
        print(json.dumps(dataclasses.asdict(result)), file=results, flush=True)
except script.BadModel as error:
    print(json.dumps({{"bad": str(error)}}), file=results, flush=True)
"""


def run(folder: Path, environment: Mapping[str, str], cache: Path) -> Iterator[CaseResult]:
    """Run the cases one by one. Raises InvalidInput for a folder that cannot be served."""
    requirements = code_folder(folder) / "requirements.txt"
    try:
        if requirements.is_file():
            yield from _apart(folder, environment, requirements, cache)
        else:
            yield from cases.run(folder, environment)
    except BadModel as error:
        cause = error.__cause__
        raise InvalidInput(
            f"{folder} cannot be served: {error}",
            field="folder",
            hint=f"{type(cause).__name__}: {cause}" if cause else "",
        ) from error


def _apart(
    folder: Path, environment: Mapping[str, str], requirements: Path, cache: Path
) -> Iterator[CaseResult]:
    cache.mkdir(parents=True, exist_ok=True)
    python = preparing.environment(requirements, cache=cache, log=cache / "model-test.log")
    command = [
        str(python),
        "-P",
        "-c",
        _PROGRAM,
        str(folder.resolve()),
        json.dumps({**environment}),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101  it was asked for
        for line in process.stdout:
            told = json.loads(line)
            if "bad" in told:
                raise BadModel(told["bad"])
            yield CaseResult(**told)
    if process.returncode != 0:
        raise BadModel(f"its process ended with status {process.returncode}; see above")
