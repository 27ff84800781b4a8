"""Bad target models among good ones: each is refused with its reason, the others answer on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients.account import IMAGE, Account, account, variant
from tests.clients.archives import MODEL, NEIGHBOUR, member, packed, script
from tests.faults.load import Load, steady

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = """
limits:
  grace_seconds: 1
  unpacked_bytes: 10000000
"""
TARGET = "X-Amzn-SageMaker-Target-Model"

#: The archive; the status, and words of the answer.
KINDS: dict[str, tuple[bytes | None, int, str]] = {
    "missing": (None, 400, "there is no object with key 'p/missing.tar.gz'"),
    "no-gzip": (b"this is no archive", 400, "model.tar.gz is broken at its beginning"),
    "climbing": (packed(member("../evil", b"x")), 400, "points outside of the archive"),
    "bomb": (packed(member("weights", bytes(20_000_000))), 400, "more than 10000000 bytes"),
    "syntax": (script("def model_fn(folder:\n"), 424, "SyntaxError"),
    "raises": (script("raise RuntimeError('no such luck')\n"), 424, "no such luck"),
    "exits": (script("import os\nos._exit(7)\n"), 424, "the container went away over it, twice"),
    "fails": (
        script(f"{MODEL}def transform_fn(model, body, content_type, accept):\n    return 1 / 0\n"),
        424,
        "division by zero",
    ),
    # The last, for no other is loaded in its instance meanwhile.
    "hangs": (script("import time\ntime.sleep(1000)\n"), 429, "still being loaded"),
}


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("targets"), SETTINGS) as built:
        kinds = {name: archive for name, (archive, *_) in KINDS.items() if archive is not None}
        for name, archive in {**kinds, "good": script(NEIGHBOUR)}.items():
            built.house.ok("PUT", f"/v1/objects/many/p/{name}.tar.gz", content=archive)
        container = {"Image": IMAGE, "ModelDataUrl": "s3://many/p/", "Mode": "MultiModel"}
        built.sagemaker.create_model(ModelName="many", PrimaryContainer=container)
        built.config("many", variant(model="many", InitialInstanceCount=2))
        built.endpoint("many", "many")
        # All others have their time, on however slow a machine.
        hasty = {"endpoint_name": "many", "timeout_seconds": 4}
        built.house.ok("PUT", "/v1/routes/hasty", json=hasty)
        yield built
        built.delete("many")
        assert built.house.workers() == []
        assert list(built.house.paths.work.iterdir()) == []


@pytest.fixture(scope="module")
def good(boto: Account) -> Iterator[Load]:
    with steady(boto.house, "many", {TARGET: "good.tar.gz"}, rate=20.0) as load:
        yield load


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_target_model_is_refused_and_the_others_answer_on(
    boto: Account, good: Load, kind: str
) -> None:
    _, status, told = KINDS[kind]
    path = "/hasty" if kind == "hangs" else "/endpoints/many/invocations"
    headers = {TARGET: f"{kind}.tar.gz"}
    answer = boto.house.call("POST", path, json={"text": "coin"}, headers=headers)
    assert answer.status_code == status, answer.text
    assert told in answer.json()["Message"]
    good.go_on(0.3)
    assert good.faults() == []
