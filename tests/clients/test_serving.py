"""The manual's guide to serving projects works as it is written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.test_readme import WALK
from tests.house import ROOT, house


@pytest.mark.skipif(shutil.which("bash") is None, reason="the manual's lines need bash")
def test_the_lines_of_the_guide_work(tmp_path: Path) -> None:
    blocks = WALK.findall((ROOT / "docs" / "serving.md").read_text())
    assert len(blocks) == 2
    shutil.copytree(
        ROOT / "examples" / "text-classification", tmp_path / "examples" / "text-classification"
    )
    with house(tmp_path / "state") as built:
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
            cwd=tmp_path,
            env={
                "PARKADE_STATE": str(built.state),
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                "HOME": str(tmp_path),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert '{"success": "true", "label": 2}' in ran.stdout
        assert "● running" in ran.stdout
        assert "~ change alarm TextClassificationDemo-overall-calls" in ran.stdout
        assert "TextClassificationDemo: nothing differs\n" in ran.stdout
        assert built.ok("GET", "/v1/projects").json()["projects"] == []
        assert built.ok("GET", "/v1/endpoints").json()["endpoints"] == []
