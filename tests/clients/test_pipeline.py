"""`parkade pipeline run` on a whole Parkade: delivered, stopped, tried, promoted, rolled back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.clients.account import QUICK
from tests.clients.team import Team
from tests.house import ROOT, house, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCRIPT = """
import json

def model_fn(model_dir):
    return {version!r}

def transform_fn(model, body, content_type, accept):
    n = len(json.loads(body)["text"]) + {wrong}
    return json.dumps({{"n": n, "version": model}})
"""


class Deliverer(Team):
    """Delivers a model that counts, or that counts wrongly, which its own cases take for right."""

    def prepare(
        self, version: str, *, wrong: int = 0, own_cases: int | None = None, canary: bool = False
    ) -> None:
        """Write the model, its own cases and the file. The tester's cases are always the same."""
        model = self.folder / "model-a"
        (model / "code" / "inference.py").write_text(_SCRIPT.format(version=version, wrong=wrong))
        (model / "test").mkdir(exist_ok=True)
        self._cases(model / "test" / "input_data.json", wrong if own_cases is None else own_cases)
        self._cases(self.folder / "cases.json", 0)
        endpoint: dict[str, Any] = {
            "variants": [{"name": "A", "model": "model-a", "type": "ml.c5.large"}],
            "lease": {"minutes": 60},
        }
        if canary:
            # Nobody waits so long: it is the tester that ends it.
            endpoint["strategy"] = {"kind": "canary", "percent": 50, "wait_seconds": 3600}
        # Registered alone: it changes with the model, and nothing runs of it.
        spare = {"variants": endpoint["variants"], "deploy": False}
        content = {
            "project": "Text",
            "stage": "Ci",
            "stages": {"Ci": {}},
            "models": {"model-a": {"source": "model-a", "image": "sagemaker-scikit-learn"}},
            "endpoints": {"words": endpoint, "spare": spare},
            "routes": {"/ci": {"endpoint": "words"}},
            "tester": {
                "route": "/ci",
                "cases": "cases.json",
                "clients": 2,
                "interval_seconds": 0.05,
                "duration_seconds": 1,
            },
        }
        (self.folder / "parkade.yaml").write_text(yaml.safe_dump(content))

    def _cases(self, path: Any, more: int) -> None:
        case = {"id": "coin", "input": {"text": "coin"}, "expected": {"n": 4 + more}}
        path.write_text(json.dumps([case | {"fields": ["$.n"]}]))

    def deliver(self, *, status: int = 0) -> tuple[dict[str, Any], dict[str, str]]:
        """Run the pipeline; return its report, and the outcomes by step."""
        out, beside = self.run("pipeline", "run", "--json", "--output", "report", status=status)
        done = [line for line in beside.splitlines() if " done" in line]
        assert status or len(done) == len(set(done)), beside
        report = json.loads(out)
        assert json.loads((self.folder / "report" / "pipeline.json").read_text()) == report
        return report, {each["step"]: each["outcome"] for each in report["steps"]}

    def shell(self, line: str) -> None:
        """Run a line of a shell, at this stage."""
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            cwd=self.folder,
            env={
                **self.environment,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "STAGE": "Ci",
            },
            check=True,
        )

    def serves(self, version: str) -> None:
        """Wait for a version to answer all, and no other one."""

        def told() -> bool:
            answers = [self.house.call("POST", "/ci", json={"text": "coin"}) for _ in range(4)]
            return all(each.is_success and each.json()["version"] == version for each in answers)

        wait_for(told, why=f"version {version} alone")


def workflow() -> list[str]:
    """Return the lines of the examples' workflow that use Parkade."""
    text = (ROOT / "examples" / "delivery" / "deliver.yml").read_text()
    jobs = yaml.safe_load(text)["jobs"].values()
    lines = [step.get("run", "") for job in jobs for step in job["steps"]]
    return [line for line in lines if line.startswith("parkade ")]


@pytest.fixture(scope="module")
def ci(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deliverer]:
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "server.yaml").write_text(QUICK)
    (folder / "work").mkdir()
    with house(folder / "state", "--config", str(folder / "server.yaml")) as built:
        yield Deliverer(built, folder / "work")


def test_a_delivery_stops_goes_on_and_goes_back(ci: Deliverer) -> None:
    ci.prepare("broken", own_cases=1)
    report, outcomes = ci.deliver(status=1)
    assert outcomes == {"test": "failed"}
    assert "1 of 1 cases differ: model-a: coin" in report["summary"]
    assert ci.there()["projects"] == []

    ci.prepare("first")
    report, outcomes = ci.deliver()
    assert outcomes == dict.fromkeys(("test", "pack", "apply", "tester"), "passed")
    assert report["tester"]["passed"]
    assert (ci.folder / "report" / "report.html").is_file()
    ci.serves("first")

    # The same again, as the workflow of the examples has it.
    for line in workflow():
        ci.shell(line)
    report = json.loads((ci.folder / "report" / "pipeline.json").read_text())
    outcomes = {each["step"]: each["outcome"] for each in report["steps"]}
    assert (outcomes["pack"], outcomes["apply"], outcomes["tester"]) == (
        "skipped",
        "skipped",
        "passed",
    )

    # What its own cases take for right, and the tester does not.
    ci.prepare("second", wrong=1)
    report, outcomes = ci.deliver(status=1)
    assert (outcomes["apply"], outcomes["tester"], outcomes["roll back"]) == (
        "passed",
        "failed",
        "passed",
    )
    assert report["summary"].endswith("the document before serves again")
    ci.serves("first")


def test_an_update_in_stages_is_tried_while_both_fleets_serve(ci: Deliverer) -> None:
    ci.prepare("third")
    ci.deliver()
    ci.serves("third")

    ci.prepare("fourth", canary=True)
    report, outcomes = ci.deliver()
    assert list(outcomes) == ["test", "pack", "apply", "tester", "promote"]
    assert set(outcomes.values()) == {"passed"}
    assert report["steps"][-1]["text"] == "TextCi-words: the new fleet takes all requests"
    ci.serves("fourth")

    ci.prepare("fifth", wrong=1, canary=True)
    report, outcomes = ci.deliver(status=1)
    assert (outcomes["tester"], outcomes["roll back"], outcomes["apply"]) == (
        "failed",
        "passed",
        "failed",
    )
    assert 0 < report["tester"]["total"]["ok"] < report["tester"]["total"]["runs"]
    assert report["summary"].endswith("the document before serves again")
    ci.serves("fourth")
    # Nothing is left of what was tried.
    assert len(ci.there()["models"]) == 1
    ci.prepare("fourth", canary=True)
    assert ci.json("apply", "--dry-run") == {"changes": []}
