"""What CodeBuild does in each step of a pipeline: shell commands, as its build specifications have them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERSION = 0.2
#: What steps run with; node is what synthesizes templates, and deploys them.
_RUNTIMES = {"python": 3.13, "nodejs": 22}
#: The file that a tester's function answers into, and what is made of it.
_REPORT = "report.json"
_VERDICT = (
    "import json, sys; told = json.load(open('report.json')); "
    "print(told.get('summary', told)); sys.exit(not told.get('passed'))"
)


def testing(*, version: str, folders: Sequence[str], synth: Sequence[str]) -> dict[str, Any]:
    """Return the step that runs the models' own cases, and writes the templates, checked."""
    commands = [f"parkade model test {shlex.quote(folder)}" for folder in folders]
    return _spec(version, [*commands, shlex.join(["parkade", "cloud", "synth", *synth])])


def deploying(*, version: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Return the step that deploys the stacks."""
    return _spec(version, [shlex.join(["parkade", "cloud", "deploy", *arguments])])


def trying() -> dict[str, Any]:
    """Return the step that runs the tester, whose function is named by TESTER, and reads its verdict."""
    invoke = (
        'aws lambda invoke --function-name "$TESTER" --cli-read-timeout 900 '
        f"--cli-binary-format raw-in-base64-out --payload '{{}}' {_REPORT}"
    )
    return {
        "version": _VERSION,
        "phases": {
            "build": {"commands": ["set -e", invoke, f"python3 -c {shlex.quote(_VERDICT)}"]}
        },
    }


def _spec(version: str, commands: Sequence[str]) -> dict[str, Any]:
    pip = "python -m pip install --quiet --disable-pip-version-check"
    return {
        "version": _VERSION,
        "phases": {
            "install": {
                "runtime-versions": _RUNTIMES,
                "commands": [f"{pip} 'parkade[cdk]=={version}'"],
            },
            "build": {"commands": list(commands)},
        },
    }
