"""`parkade model test`: runs a model folder's cases where its packages are.

Without `code/requirements.txt` that is this process; with it, a process of the isolated
environment that a worker would get, too. Either way it only answers: judged is here.
"""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

from parkade.apps.cli import preparing
from parkade.domain import cases
from parkade.domain.comparing.reading import Body
from parkade.domain.errors import InvalidInput
from parkade.runtime import environments
from parkade.runtime.container import cases as container
from parkade.runtime.container.messages import Answer
from parkade.runtime.container.script import BadModel, code_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from parkade.domain.cases import Case, Outcome

#: Runs inside the environment: one JSON line a request, and one an answer. What the script prints
#: goes to standard error, so that it cannot be taken for an answer.
_PROGRAM = f"""
import base64, json, os, pathlib, sys
from {environments.ALIAS} import cases, script
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
requests = [json.loads(line) for line in open(sys.argv[3], encoding="utf-8")]
asked = ((base64.b64decode(body), content_type) for body, content_type in requests)
try:
    for answer in cases.run(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]), asked):
        body = base64.b64encode(answer.body).decode()
        print(json.dumps([answer.status, body, answer.content_type]), file=answers, flush=True)
except script.BadModel as error:
    print(json.dumps({{"bad": str(error)}}), file=answers, flush=True)
"""


def of_folder(folder: Path) -> tuple[Case, ...]:
    """Return the cases of a model folder. Raises InvalidInput."""
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder", field="folder", hint="give a model folder")
    path = folder / cases.FILE
    try:
        return cases.read(path.read_text(encoding="utf-8"), name=str(path))
    except FileNotFoundError as error:
        raise InvalidInput(
            f"{folder} has no {cases.FILE}",
            field="folder",
            hint='write its cases there as a JSON list of {"id", "input", "expected"}',
        ) from error
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", field="folder") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8", field="folder") from error


def run(folder: Path, environment: Mapping[str, str], cache: Path) -> Iterator[Outcome]:
    """Run the cases one by one. Raises InvalidInput for a folder that cannot be served."""
    asked = of_folder(folder)
    requirements = code_folder(folder) / "requirements.txt"
    requests = [(case.body, case.content_type) for case in asked]
    if requirements.is_file():
        answers = _apart(folder, environment, requirements, cache, requests)
    else:
        answers = container.run(folder, environment, requests)
    try:
        for case, answer in zip(asked, answers, strict=True):
            yield cases.judge(case, answer.status, Body(answer.body, answer.content_type))
    except BadModel as error:
        cause = error.__cause__
        raise InvalidInput(
            f"{folder} cannot be served: {error}",
            field="folder",
            hint=f"{type(cause).__name__}: {cause}" if cause else "",
        ) from error


def _apart(
    folder: Path,
    environment: Mapping[str, str],
    requirements: Path,
    cache: Path,
    requests: Sequence[tuple[bytes, str]],
) -> Iterator[Answer]:
    cache.mkdir(parents=True, exist_ok=True)
    python = preparing.environment(requirements, cache=cache, log=cache / "model-test.log")
    # A file, for an argument may not be long, and the script may read its standard input.
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for body, content_type in requests:
            file.write(json.dumps([base64.b64encode(body).decode(), content_type]) + "\n")
        file.flush()
        model, variables = str(folder.resolve()), json.dumps({**environment})
        command = [str(python), "-P", "-c", _PROGRAM, model, variables, file.name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None  # noqa: S101  it was asked for
            for line in process.stdout:
                yield _answer(json.loads(line))
    if process.returncode != 0:
        raise BadModel(f"its process ended with status {process.returncode}; see above")


def _answer(told: Any) -> Answer:
    if isinstance(told, dict):
        raise BadModel(told["bad"])
    status, body, content_type = told
    return Answer(status, base64.b64decode(body), content_type)
