"""A model folder's own cases, run in this process."""

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


def a_folder(path, *, cases, word="re"):
    folder = model_folder(path, DOUBLE, words=f"WORD = {word!r}")
    (folder / "test").mkdir()
    (folder / "test" / "input_data.json").write_text(
        cases if isinstance(cases, str) else json.dumps(cases)
    )
    return folder


def a_case(name="tc-001", sentence="play", expected=None):
    return {"id": name, "input": {"sentence": sentence}, "expected": expected}


def test_each_case_tells_how_it_went(tmp_path):
    cases = [
        a_case("right", "play", {"label": "replay"}),
        a_case("wrong", "do", {"label": "undo"}),
        a_case("broken", "", {"label": ""}),
        {"id": "csv", "input": "1,2;", "expected": "1,2;1,2;", "content_type": "text/csv"},
    ]
    right, wrong, broken, csv = run(a_folder(tmp_path, cases=cases), {})
    assert (right.id, right.passed, right.sentence) == ("right", True, "play")
    assert json.loads(right.result) == {"label": "replay"}
    assert (wrong.passed, json.loads(wrong.expected)) == (False, {"label": "undo"})
    assert not broken.passed
    assert "ValueError: empty" in broken.result
    assert (csv.passed, csv.result, csv.sentence) == (True, "1,2;1,2;", "1,2;")


def test_one_folder_leaves_nothing_behind_for_the_next(tmp_path):
    for word in ("re", "un"):
        cases = [a_case(expected={"label": f"{word}play"})]
        folder = a_folder(tmp_path / word, cases=cases, word=word)
        assert [result.passed for result in run(folder, {})] == [True]


@pytest.mark.parametrize(
    ("cases", "reason"),
    [
        ("{", "is not usable JSON"),
        ("{}", "is not a list of cases"),
        ("[]", "is not a list of cases"),
        ([{"id": "a"}], "case 1: a case has id, input, expected"),
        ([{**a_case(), "exepcted": 1}], "case 1: a case has"),
        ([{**a_case(), "content_type": "text/csv"}], "an input of text/csv is a text"),
    ],
)
def test_an_unusable_file_is_refused_with_the_reason(tmp_path, cases, reason):
    with pytest.raises(BadModel, match=reason):
        list(run(a_folder(tmp_path, cases=cases), {}))


def test_a_folder_without_cases_says_where_they_go(tmp_path):
    with pytest.raises(BadModel, match=r"no test/input_data\.json; write its cases there"):
        list(run(model_folder(tmp_path, DOUBLE), {}))
