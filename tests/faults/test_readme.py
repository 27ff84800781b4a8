"""The README's own lines, run as they stand by a shell."""

import re
import shutil

import pytest

from tests.house import ROOT, house
from tests.walks import blocks, needs_a_shell, walk


@pytest.mark.timeout(300)  # half a minute of it is what `aws sagemaker wait` sleeps
@needs_a_shell
def test_the_readmes_walk_works_line_by_line(tmp_path):
    assert len(blocks("README.md")) == 7
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    with house(tmp_path / "state") as built:
        ran = walk("README.md", tmp_path, built)
        assert '{"success": "true", "label": 2}' in ran.stdout
        assert '"TimeLeft"' in ran.stdout
        assert '"InvokedProductionVariant": "blue"' in ran.stdout
        assert "delete-endpoint --endpoint-name again" in ran.stderr
        assert "ann: 50.00 USD a week" in ran.stdout
        assert "always on" in ran.stdout
        assert "scaled: asleep" in ran.stdout


def test_the_readme_begins_with_its_two_commands():
    commands = re.findall(r"^make \w+", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert commands[:2] == ["make demo", "make test"]
