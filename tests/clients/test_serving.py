"""The manual's guide to serving projects works as it is written."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.house import ROOT, house
from tests.walks import blocks, needs_a_shell, walk

if TYPE_CHECKING:
    from pathlib import Path

_PAGE = "docs/serving.md"


@needs_a_shell
def test_the_lines_of_the_guide_work(tmp_path: Path) -> None:
    assert len(blocks(_PAGE)) == 2
    shutil.copytree(
        ROOT / "examples" / "text-classification", tmp_path / "examples" / "text-classification"
    )
    with house(tmp_path / "state") as built:
        ran = walk(_PAGE, tmp_path, built)
        assert '{"success": "true", "label": 2}' in ran.stdout
        assert "● running" in ran.stdout
        assert "~ change alarm TextClassificationDemo-overall-calls" in ran.stdout
        assert "TextClassificationDemo: nothing differs\n" in ran.stdout
        assert built.ok("GET", "/v1/projects").json()["projects"] == []
        assert built.ok("GET", "/v1/endpoints").json()["endpoints"] == []
