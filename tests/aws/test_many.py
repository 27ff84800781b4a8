"""Many models on one endpoint, as its stack makes it: stored, invoked by name, refused by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from parkade.runtime import packing
from tests.aws.project import PREFIX
from tests.house import NO_OP

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws.walking import Walk

pytestmark = pytest.mark.aws

NAME = f"{PREFIX}-many"


def test_models_are_invoked_by_the_name_of_their_object(walk: Walk, tmp_path: Path) -> None:
    walk.wait(NAME)
    s3 = walk.running.standins.client("s3")
    for number in range(2):
        archive = tmp_path / f"model-{number}.tar.gz"
        packing.pack(NO_OP, archive)
        s3.put_object(
            Bucket="walkdemo-many", Key=f"models/{archive.name}", Body=archive.read_bytes()
        )
        assert walk.invoke(NAME, TargetModel=archive.name) == {"ok": True, "n": 4}
    # And through the API, by the header that SageMaker has for it.
    headers = {"X-Amzn-SageMaker-Target-Model": "model-1.tar.gz"}
    answer = walk.ask("POST", "/many", json={"text": "parkade"}, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "n": 7}), answer.text
    with pytest.raises(ClientError, match=r"no-such\.tar\.gz"):
        walk.invoke(NAME, TargetModel="no-such.tar.gz")


def test_a_model_that_is_not_there_is_the_callers_mistake(walk: Walk) -> None:
    headers = {"X-Amzn-SageMaker-Target-Model": "no-such.tar.gz"}
    answer = walk.ask("POST", "/many", json={"text": "parkade"}, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    assert json.loads(answer.text)
