"""The walk of examples/many-models, by its own scripts, on a real server."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import PATIENCE, house

SAMPLE = Path(__file__).parents[2] / "examples" / "many-models"


@pytest.fixture
def walk(tmp_path):
    """Runs a script of the sample, or a parkade command, as the README has it."""
    folder = tmp_path / "sample"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("models", "__pycache__"))
    with house(tmp_path / "state") as built:
        environment = {**os.environ, "PARKADE_STATE": str(built.state)}

        def run(*words):
            program = ["-m", "parkade.apps.cli", *words[1:]]
            done = subprocess.run(
                [sys.executable, *(program if words[0] == "parkade" else words)],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        environment |= json.loads(run("parkade", "env", "--aws", "--format", "json"))
        yield run


# Each step is a program of its own, which begins by importing boto3.
@pytest.mark.timeout(300)
def test_two_models_are_made_put_deployed_asked_by_name_and_removed(walk):
    assert "iris.tar.gz" in walk("make_models.py")
    assert walk("put_models.py").split() == [
        "s3://many-models/models/iris.tar.gz",
        "s3://many-models/models/wine.tar.gz",
    ]
    assert "in service" in walk("deploy.py")
    answers = walk("invoke_models.py").splitlines()
    assert [line.partition(" (")[0] for line in answers] == [
        "iris.tar.gz first: setosa, virginica",
        "iris.tar.gz again: setosa, virginica",
        "wine.tar.gz first: class_0, class_2",
        "wine.tar.gz again: class_0, class_2",
    ]
    shown = json.loads(walk("parkade", "models", "many-models", "--json"))
    assert {each["target"]: len(each["loaded"]) for each in shown["models"]} == {
        "iris.tar.gz": 1,
        "wine.tar.gz": 1,
    }
    row = walk(
        "parkade",
        "invoke",
        "many-models",
        "--model",
        "iris.tar.gz",
        "--json",
        "[[5.1,3.5,1.4,0.2]]",
    )
    assert json.loads(row) == {"classes": ["setosa"]}
    assert "gone" in walk("clean_up.py")
