"""The README's own lines, run as they stand by a shell."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import ROOT, house

WALK = re.compile(r"<!-- walk -->\n```sh\n(.*?)```", re.DOTALL)


@pytest.mark.timeout(300)  # half a minute of it is what `aws sagemaker wait` sleeps
@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's lines need curl")
def test_the_readmes_walk_works_line_by_line(tmp_path):
    blocks = WALK.findall((ROOT / "README.md").read_text())
    assert len(blocks) == 7
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    with house(tmp_path / "state") as built:
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PARKADE_STATE": str(built.state),
        }
        answer = subprocess.run(
            ["bash", "-euo", "pipefail", "-x", "-c", "\n".join(blocks)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        assert '{"success": "true", "label": 2}' in answer.stdout
        assert '"TimeLeft"' in answer.stdout
        assert '"InvokedProductionVariant": "blue"' in answer.stdout
        assert "delete-endpoint --endpoint-name again" in answer.stderr
        assert "ann: 50.00 USD a week" in answer.stdout
        assert "always on" in answer.stdout
        assert "scaled: asleep" in answer.stdout


def test_the_readme_begins_with_its_two_commands():
    commands = re.findall(r"^make \w+", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert commands[:2] == ["make demo", "make test"]
