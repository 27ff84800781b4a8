"""The whole walk of docs/walk.md, from nothing to nothing."""

import re

import pytest

from tests.house import house, wait_for
from tests.walks import blocks, needs_a_shell, walk

_PAGE = "docs/walk.md"
#: What was captured is looked for when all is over.
_SETTINGS = "capture:\n  flush_seconds: 1\n"


@pytest.mark.timeout(300)  # nine commands are started, of which some serve models
@needs_a_shell
def test_the_whole_walk_works_line_by_line(tmp_path):
    commands = re.findall(r"^parkade \w+", "\n".join(blocks(_PAGE)), re.MULTILINE)
    assert len(commands) < 10
    (tmp_path / "server.yaml").write_text(_SETTINGS)
    with house(tmp_path / "state", "--config", str(tmp_path / "server.yaml")) as built:
        ran = walk(_PAGE, tmp_path, built)
        assert '{"success": "true", "label": 2}' in ran.stdout
        assert "TextClassificationDemo: delivered" in ran.stdout
        assert "were answered as expected" in ran.stdout
        assert "autoscalingMaxCapacity: none → 3" in ran.stdout
        assert "captured data: s3://textclassification-captured/text" in ran.stdout
        left = {
            noun: built.ok("GET", f"/v1/{noun}").json()[noun]
            for noun in ("models", "endpoints", "configs", "routes", "alarms", "projects")
        }
        assert not any(left.values()), left
        # The one call of a person was captured; those of testers are not.
        (captured,) = wait_for(
            lambda: (
                built.call("GET", "/v1/objects/textclassification-captured").json().get("objects")
            ),
            why="what was captured",
        )
        assert "/Model-" in captured["key"]
