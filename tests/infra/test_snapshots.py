"""Each template is the one that was looked at last."""

from __future__ import annotations

import pytest

from parkade.infra.naming import Title
from tests.infra import snapshots


@pytest.mark.parametrize("title", list(Title))
def test_the_template_is_the_one_that_was_looked_at(title):
    kept = snapshots.FOLDER / f"{title}.json"
    assert snapshots.templates()[title] == kept.read_text(encoding="utf-8"), (
        "look at what differs, and write it anew: make snapshots"
    )


def test_digests_of_code_are_no_difference():
    one, other = (
        snapshots.kept(f'{{"S3Key": "{digit * 64}.zip", "ApiDeployment0A1B2C3D{digit * 32}": 1}}')
        for digit in "ab"
    )
    assert one == other
    assert "DIGEST.zip" in one
    assert '"ApiDeployment0A1B2C3D"' in one
