"""The sample model: its data, its training, and its cases in a real container."""

import csv
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from parkade.apps.cli.cases import run
from parkade.runtime.packing import pack
from tests.runtime.container.harness import a_container

SAMPLE = Path(__file__).parents[2] / "examples" / "text-classification"


def rows():
    with (SAMPLE / "data" / "sentences.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cases():
    return json.loads((SAMPLE / "test" / "input_data.json").read_text())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A copy of the sample, trained; with what the training said."""
    folder = tmp_path_factory.mktemp("sample") / "text-classification"
    leave = shutil.ignore_patterns("model.joblib", "__pycache__")
    shutil.copytree(SAMPLE, folder, ignore=leave)
    said = subprocess.run(
        [sys.executable, folder / "train.py"], capture_output=True, check=True, text=True
    )
    return folder, said.stdout


@pytest.fixture(scope="module")
def container(trained):
    with a_container(trained[0]) as container:
        yield container


def test_the_data_holds_enough_different_sentences_of_each_class():
    counts = Counter((row["label"], row["split"]) for row in rows())
    assert all(counts[label, "train"] >= 100 for label in "1234")
    assert all(counts[label, "held-out"] >= 25 for label in "1234")
    assert len({row["sentence"].casefold() for row in rows()}) == len(rows())


def test_the_cases_are_not_in_the_data():
    known = {re.sub(r"\W+", " ", row["sentence"].casefold()) for row in rows()}
    asked = {re.sub(r"\W+", " ", case["input"]["sentence"].casefold()) for case in cases()}
    assert not asked & known


def test_training_tells_the_held_out_accuracy(trained):
    found = re.fullmatch(r"held-out accuracy: (0\.\d+) on (\d+) sentences\n", trained[1])
    assert float(found[1]) > 0.8
    assert int(found[2]) >= 100


def test_the_four_cases_pass_in_this_process(trained, tmp_path):
    results = list(run(trained[0], {}, tmp_path))
    assert [result.case.id for result in results] == ["tc-001", "tc-002", "tc-003", "tc-004"]
    assert [result.passed for result in results] == [True] * 4


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_the_four_cases_pass_in_a_container(container, case):
    reply = container.invoke(case["input"])
    assert (reply.status, reply.json) == (200, case["expected"])
    assert reply.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "reason"),
    [
        (b"{", "application/json", 400, "is not JSON"),
        (b"[1]", "application/json", 400, '{"sentence": "..."}'),
        (b'{"sentence": 3}', "application/json", 400, '{"sentence": "..."}'),
        (b'{"sentence": "  "}', "application/json", 400, '{"sentence": "..."}'),
        (b"text", "text/plain", 415, "send application/json"),
    ],
)
def test_unusable_input_is_the_callers_mistake(container, body, content_type, status, reason):
    reply = container.invoke(body, content_type)
    assert reply.status == status
    assert reason in reply.json["error"]


def test_its_archive_holds_the_model_and_the_script_alone(trained, tmp_path):
    packed = pack(trained[0], tmp_path / "model.tar.gz")
    assert packed.members == ("README.md", "code/inference.py", "model.joblib")
