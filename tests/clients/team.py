"""Somebody with a folder of models, a project file, and the `parkade` command."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import yaml
from typer.testing import CliRunner

from parkade.apps.cli.main import app
from tests.house import NO_OP, PATIENCE, House

if TYPE_CHECKING:
    from pathlib import Path

#: What lists tell what there is.
_NOUNS = ("models", "configs", "endpoints", "routes", "alarms", "projects")


class Team:
    """The `parkade` command of somebody with a folder of models and a file."""

    def __init__(self, built: House, folder: Path) -> None:
        self.house = built
        self.folder = folder
        shutil.copytree(NO_OP, folder / "model-a")
        self.environment = {
            **os.environ,
            "PARKADE_URL": built.url,
            "PARKADE_TOKEN": built.token,
            "XDG_CACHE_HOME": str(folder / "cache"),
        }

    def write(self, stage: str, *, weight: float = 1, least: int = 1) -> None:
        """Write the file, with an endpoint of one variant."""
        variant = {"name": "Model-A", "model": "model-a", "type": "ml.c5.xlarge", "weight": weight}
        content = {
            "project": "Text",
            "stage": stage,
            "stages": {stage: {}},
            "models": {"model-a": {"source": "model-a", "image": "sagemaker-scikit-learn"}},
            "endpoints": {
                "words": {"variants": [{**variant, "instances": least}], "lease": {"minutes": 30}}
            },
            "routes": {f"/{stage.lower()}": {"endpoint": "words"}},
        }
        (self.folder / "parkade.yaml").write_text(yaml.safe_dump(content))

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "parkade.apps.cli", *arguments],
            env=self.environment | environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def here(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        """Run a command as `run` does, in this process: where that is not what is tested."""
        with contextlib.chdir(self.folder):
            result = CliRunner().invoke(app, arguments, env=self.environment)
        assert result.exit_code == status, f"{arguments}: {result.output} {result.exception!r}"
        return result.stdout, result.stderr

    def run(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        """Run a command to its end; return what it wrote."""
        process = self.start(*arguments)
        # A delivery waits for several fleets, each with its own patience.
        out, err = process.communicate(timeout=PATIENCE * 4)
        assert process.returncode == status, f"{arguments}: {process.returncode}: {out}{err}"
        return out, err

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json")[0])

    def kill(self, process: subprocess.Popen[str]) -> None:
        """SIGKILL the client."""
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == -signal.SIGKILL

    def applications(self, prefix: str) -> list[dict[str, Any]]:
        answer = self.house.call("GET", f"/v1/projects/{prefix}/applications")
        return [] if answer.status_code == 404 else list(answer.json()["applications"])

    def there(self) -> dict[str, Any]:
        """Return all names that there are, and all objects."""
        found: dict[str, Any] = {
            noun: sorted(
                each.get("name") or each.get("path") or each["prefix"]
                for each in self.house.ok("GET", f"/v1/{noun}?limit=1000").json()[noun]
            )
            for noun in _NOUNS
        }
        for bucket in self.house.ok("GET", "/v1/objects").json()["buckets"]:
            listed = self.house.ok("GET", f"/v1/objects/{bucket['name']}").json()["objects"]
            found[bucket["name"]] = [each["key"] for each in listed]
        return found
