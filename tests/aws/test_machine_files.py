"""The state machines of the package are what Amazon's language takes, by asl-validator."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import parkade.infra
from tests.aws.machines import FOLDER, NODE

pytestmark = pytest.mark.aws

FILES = sorted((Path(parkade.infra.__file__).parent / "statemachines").glob("*.asl.json"))


def validated(*files: Path) -> subprocess.CompletedProcess[str]:
    program = FOLDER / "node_modules" / ".bin" / "asl-validator"
    return subprocess.run(
        [str(NODE), str(program), *(word for file in files for word in ("--json-path", str(file)))],
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_file_is_valid() -> None:
    assert len(FILES) >= 4
    done = validated(*FILES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_transition_to_nowhere_is_found(tmp_path: Path) -> None:
    broken = tmp_path / "broken.asl.json"
    broken.write_text(FILES[0].read_text().replace('"Next": "', '"Next": "No', 1))
    done = validated(broken)
    assert done.returncode == 1
    assert "MISSING_TRANSITION_TARGET" in done.stdout + done.stderr
