"""SageMaker's Python SDK, with nothing but what `parkade env --aws` prints.

It lives in environments of its own, and speaks with nobody but the server: all that goes elsewhere
has to go through a proxy, which is told of none.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.account import QUICK
from tests.house import ROOT, House, house, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.sagemaker_sdk,
    pytest.mark.semantics("clients.sdk"),
    pytest.mark.timeout(600),
]

HERE = ROOT / "tests" / "sdk"
BUCKET = "sagemaker-us-east-1-000000000000"


class Watch:
    """A proxy that notes what it is asked for, and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with closing(connection):
                self.asked.append(connection.recv(1024).split(b"\r\n")[0].decode())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("sdk")
    (folder / "server.yaml").write_text(QUICK + "capture: {flush_seconds: 0.5}\n")
    with house(folder / "state", "--config", str(folder / "server.yaml")) as built:
        yield built


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


def told(served: House, watch: Watch, version: int, program: Path, home: Path) -> dict[str, Any]:
    """Run the program with the SDK's Python; return what it told of each of its steps."""
    printed = subprocess.run(
        [sys.executable, "-m", "parkade.apps.cli", "env", "--aws", "--format", "json",
         "--state", str(served.state)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    ran = subprocess.run(
        [str(ROOT / f".venv-sagemaker-sdk-{version}" / "bin" / "python"), str(program)],
        env={
            "PATH": os.environ["PATH"], "HOME": str(home), "NO_PROXY": "127.0.0.1",
            "HTTP_PROXY": watch.url, "HTTPS_PROXY": watch.url, **json.loads(printed.stdout),
        },
        cwd=home, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert watch.asked == []
    # Version 2 draws a line while it waits; a step may begin at its end.
    lines = [line[line.index("{") :] for line in ran.stdout.splitlines() if '{"step": ' in line]
    return {step.pop("step"): step for step in map(json.loads, lines)}


def test_version_2_deploys_predicts_and_cleans_up(
    served: House, watch: Watch, tmp_path: Path
) -> None:
    steps = told(served, watch, 2, HERE / "classic.py", tmp_path)
    assert steps["bucket"] == {"name": BUCKET}
    assert steps["script"] == {"data": f"s3://{BUCKET}/models/bare.tar.gz", "answer": [10, 20]}
    assert steps["script-gone"] == {"models": []}
    assert steps["captured"]["answer"] == [300]
    assert steps["captured"]["capture"]["CaptureStatus"] == "Started"
    captures = served.paths.objects / BUCKET / "model-monitor" / "data-capture" / "captured"
    wait_for(lambda: list(captures.rglob("*.jsonl")), why="a capture")
    assert steps["async"]["path"].startswith(f"s3://{BUCKET}/async-endpoint-outputs/later-")
    assert steps["async"]["answer"] == [400]
    assert steps["many"] == {"models": ["a/first.tar.gz"], "answer": [500]}
    assert f"there is no object s3://{BUCKET}/none.tar.gz" in steps["refused"]["why"]


def test_version_3_creates_resources_and_builds_models(
    served: House, watch: Watch, tmp_path: Path
) -> None:
    steps = told(served, watch, 3, HERE / "resources.py", tmp_path)
    assert steps["resources"]["data"] == f"s3://{BUCKET}/models/model.tar.gz"
    assert steps["resources"]["answer"] == [10, 20]
    assert not {"e", "c", "m"} & set(steps["gone"]["left"])
    assert steps["built"]["answer"] == [10, 20]
