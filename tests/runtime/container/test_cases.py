"""Requests that run through a model folder in this process."""

import json

import pytest

from parkade.runtime.container.cases import run
from parkade.runtime.container.script import BadModel
from tests.runtime.container.harness import model_folder

DOUBLE = """
    import json
    from words import WORD
    def model_fn(model_dir): ...
    def transform_fn(model, body, content_type, accept):
        if content_type == "text/csv":
            return body * 2, "text/csv"
        value = json.loads(body)["sentence"]
        if not value:
            raise ValueError("empty")
        return json.dumps({"label": WORD + value})
"""


def a_folder(path, *, word="re"):
    return model_folder(path, DOUBLE, words=f"WORD = {word!r}")


def a_request(sentence):
    return json.dumps({"sentence": sentence}).encode(), "application/json"


def test_each_request_takes_the_way_of_an_invocation(tmp_path):
    requests = [a_request("play"), a_request(""), (b"1,2;", "text/csv")]
    right, broken, csv = run(a_folder(tmp_path), {}, requests)
    assert (right.status, json.loads(right.body)) == (200, {"label": "replay"})
    assert broken.status == 500
    assert b"ValueError: empty" in broken.body
    assert (csv.body, csv.content_type) == (b"1,2;1,2;", "text/csv")


def test_one_folder_leaves_nothing_behind_for_the_next(tmp_path):
    for word in ("re", "un"):
        (answer,) = run(a_folder(tmp_path / word, word=word), {}, [a_request("play")])
        assert json.loads(answer.body) == {"label": f"{word}play"}


def test_a_folder_that_cannot_be_served_is_refused(tmp_path):
    with pytest.raises(BadModel):
        list(run(tmp_path, {}, [a_request("play")]))
