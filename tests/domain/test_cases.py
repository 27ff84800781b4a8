"""The cases of a model folder."""

import json

import pytest

from parkade.domain.cases import judge, read
from parkade.domain.comparing.reading import Body
from parkade.domain.comparing.tolerance import Tolerance
from parkade.domain.errors import InvalidInput


def a_case(**changes):
    return {"id": "tc-001", "input": {"sentence": "play"}, "expected": {"label": 1}} | changes


def the_case(**changes):
    (case,) = read(json.dumps([a_case(**changes)]))
    return case


def answered(value, status=200):
    return status, Body(json.dumps(value).encode())


def test_a_case_says_what_is_sent_and_what_has_to_come_back():
    case = the_case()
    assert (case.id, case.body, case.sentence) == ("tc-001", b'{"sentence": "play"}', "play")
    assert judge(case, *answered({"label": 1.0})).passed
    outcome = judge(case, *answered({"label": 2}))
    assert not outcome.passed
    assert str(outcome) == "$.label: 1 -> 2"


def test_a_text_is_sent_as_it_is():
    case = the_case(content_type="text/csv", input="1,2;", expected="1,2;1,2;")
    assert case.body == b"1,2;"
    assert judge(case, 200, Body(b"1,2;1,2;", "text/csv")).passed


def test_an_error_is_no_answer_even_if_it_says_what_is_expected():
    outcome = judge(the_case(), *answered({"label": 1}, status=500))
    assert not outcome.passed
    assert str(outcome) == 'status 500: {"label": 1}'


def test_a_case_may_say_what_will_do():
    case = the_case(
        expected={"label": 1, "p": 0.7, "at": 0},
        tolerance=0.01,
        fields=["label", "p"],
        ignore=["at"],
    )
    assert case.rules.tolerance == Tolerance(0.01)
    assert judge(case, *answered({"label": 1, "p": 0.705, "at": 3, "more": 4})).passed
    assert not judge(case, *answered({"label": 1, "p": 0.72})).passed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is not usable JSON"),
        ("[" * 100_000, "is not usable JSON"),
        ("{}", "is not a list of cases"),
        ("[]", "is not a list of cases"),
        ([{"id": "a"}], "case 1: a case has id, input, expected"),
        ([a_case(exepcted=1)], "case 1: a case has"),
        ([a_case(content_type="text/csv")], "an input of text/csv is a text"),
        ([a_case(content_type=3)], "id and content_type are texts"),
        ([a_case(), a_case()], "two cases with the id 'tc-001'"),
        ([a_case(tolerance="x")], "case 1: tolerance 'x' is not a tolerance"),
        ([a_case(id="b"), a_case(fields="label")], "case 2: fields is not a list of fields"),
        ([a_case(ignore=["a b"])], "case 1: ignore 'a b' names no field"),
    ],
)
def test_an_unusable_file_is_refused_with_the_reason(text, reason):
    with pytest.raises(InvalidInput, match=reason):
        read(text if isinstance(text, str) else json.dumps(text))


def test_an_answer_that_is_not_json_is_a_text():
    case = the_case(expected='[{"a": 1}]')
    assert judge(case, 200, Body(b'[{"a": 1}]', "application/octet-stream")).passed
