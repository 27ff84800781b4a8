"""Two answers compared."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.comparing.answers import KEPT, SHOWN, Rules, compare, compare_value
from parkade.domain.comparing.fields import Field
from parkade.domain.comparing.reading import Body, Form
from parkade.domain.comparing.tolerance import Tolerance
from parkade.domain.errors import InvalidInput

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
BODIES = st.builds(
    Body,
    st.one_of(VALUES.map(lambda value: json.dumps(value).encode()), st.binary(max_size=30)),
    st.sampled_from(["application/json", "text/csv", "text/plain", "application/x-npy", ""]),
)


def rules(*, fields=(), ignore=(), **options):
    return Rules(
        fields=tuple(map(Field.read, fields)), ignored=tuple(map(Field.read, ignore)), **options
    )


def a_json(value):
    return Body(json.dumps(value).encode(), "application/json; charset=utf-8")


def differing(before, after, rule=None):
    comparison = compare(a_json(before), a_json(after), rule or Rules())
    return [(each.path, each.before, each.after) for each in comparison.differences]


def test_neither_the_order_of_keys_nor_spaces_matter():
    before = Body(b'{"a": 1, "b": {"c": [1, 2]}}')
    after = Body(b'{"b":{"c":[1,2.0]},"a":1.0}')
    assert compare(before, after).agrees
    assert not compare(before, after, Rules(form=Form.EXACT)).agrees


def test_differences_are_told_with_their_places_in_order():
    before = {"label": 1, "results": [{"score": 0.5}, {"score": 0.25, "name": "b"}], "gone": None}
    after = {"label": 2, "results": [{"score": 0.5}, {"score": 0.5, "name": "b"}, {}], "new": []}
    assert differing(before, after) == [
        ("$.label", "1", "2"),
        ("$.results[1].score", "0.25", "0.5"),
        ("$.results[2]", None, "{}"),
        ("$.gone", "null", None),
        ("$.new", None, "[]"),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [(1, True), (0, False), (1, "1"), (None, 0), ({}, []), ("", None), ([1], {"0": 1}), ([], [[]])],
)
def test_what_is_of_another_kind_differs(before, after):
    assert differing(before, after)
    assert differing({"x": before}, {"x": after})


def test_only_chosen_fields_are_compared():
    before = {"label": 1, "at": 1, "results": [{"score": 1, "id": 1}]}
    after = {"label": 1, "at": 2, "results": [{"score": 2, "id": 2}]}
    assert differing(before, after, rules(fields=["label"])) == []
    chosen = rules(fields=["label", "results[*].score"])
    assert differing(before, after, chosen) == [("$.results[0].score", "1", "2")]
    assert differing(before, after, rules(fields=["$"], ignore=["at", "results"])) == []


def test_ignored_fields_are_not_compared_not_even_where_one_side_lacks_them():
    before = {"label": 1, "meta": {"at": 1, "id": "a"}, "results": [{"ms": 3}]}
    after = {"label": 1, "meta": {"at": 2, "id": "b"}, "results": [{"ms": 4}]}
    assert differing(before, after, rules(ignore=["meta.at", "results[*].ms"])) == [
        ("$.meta.id", '"a"', '"b"')
    ]
    assert differing(before, {"label": 1}, rules(ignore=["meta", "results"])) == []
    assert differing(1, 2, rules(ignore=["$"])) == []


def test_a_chosen_field_within_something_of_another_kind_is_lacking_there():
    chosen = rules(fields=["a.b"])
    assert differing({"a": {"b": 1}}, {"a": 5}, chosen) == [("$.a.b", "1", None)]
    assert differing({"a": 4}, {"a": {"b": 1}}, chosen) == [("$.a.b", None, "1")]


def test_fields_that_neither_answer_has_are_no_agreement():
    comparison = compare(a_json({"label": 1}), a_json({"label": 1}), rules(fields=["lable"]))
    assert not comparison.agrees
    assert comparison.missing == ("$.lable",)
    assert str(comparison) == "$.lable: in neither"
    empty = a_json({"results": []})
    assert compare(empty, empty, rules(fields=["results[*].score"])).agrees


def test_numbers_agree_within_the_tolerance_and_tell_how_far_they_lie_apart():
    before, after = {"p": [0.5, 0.25], "n": 3}, {"p": [0.51, 0.25], "n": 3}
    near = rules(tolerance=Tolerance(0.01))
    comparison = compare(a_json(before), a_json(after), near)
    assert comparison.agrees
    assert comparison.deviations["$.n"] == [0.0]
    assert comparison.deviations["$.p[*]"] == pytest.approx([0.01, 0.0])
    assert differing(before, after) == [("$.p[0]", "0.5", "0.51")]


def test_csv_is_compared_cell_by_cell():
    before, after = Body(b"a,1.0\nb,2\n", "text/csv"), Body(b'"a",1\r\nb,2.5', "text/csv")
    comparison = compare(before, after)
    assert str(comparison) == "$[1][1]: 2 -> 2.5"
    assert compare(before, after, rules(tolerance=Tolerance(0.5))).agrees


def test_a_text_that_is_a_number_is_one():
    before, after = Body(b"0.50\n", "text/plain"), Body(b"0.5", "text/plain; charset=utf-8")
    assert compare(before, after).agrees
    assert not compare(Body(b"half", "text/plain"), after).agrees


def test_lines_of_json_are_compared_line_by_line():
    before = Body(b'{"t":1}\n{"t":2}\n', "application/jsonlines")
    after = Body(b'{"t": 1}\n{"t": 3}', "application/jsonlines")
    assert str(compare(before, after)) == "$[1].t: 2 -> 3"


def test_bytes_are_compared_as_they_are_and_the_first_that_differs_is_told():
    comparison = compare(
        Body(b"\x93NUMPYab", "application/x-npy"), Body(b"\x93NUMPYxb", "application/x-npy")
    )
    assert comparison.differences[0].path == "byte 6"
    assert "(8 bytes)" in str(comparison)


def test_what_is_not_what_its_type_says_equals_itself_alone():
    broken = Body(b'{"a": ')
    assert compare(broken, broken).agrees
    assert not compare(broken, Body(b'{"a": 1}')).agrees
    assert compare(Body(b"\xff"), Body(b"\xff")).agrees


def test_where_one_side_has_no_type_the_others_counts():
    assert compare(Body(b'{"a": 1}', ""), Body(b'{"a":1.0}')).agrees
    assert compare(Body(b'{"a": 1}', ""), Body(b'{"a":1.0}', "")).agrees
    assert not compare(Body(b"1,2", "text/csv"), Body(b"[1,2]")).agrees


def test_depth_and_length_do_no_harm():
    deep = Body(b"[" * 100_000 + b"]" * 100_000)
    assert compare(deep, deep).agrees
    nested = Body(b"[" * 800 + b"1" + b"]" * 800), Body(b"[" * 800 + b"2" + b"]" * 800)
    assert compare(*nested).count == 1
    many = compare(a_json([0] * 10_000), a_json([1] * 10_000))
    assert (many.count, len(many.differences)) == (10_000, KEPT)
    assert str(many).endswith(f"and {10_000 - KEPT} more")
    long = compare(a_json("x" * 10_000), a_json("y"))
    assert len(long.differences[0].before) == SHOWN


def test_numbers_too_long_for_an_integer_are_a_text():
    digits = b"1" * 5000
    assert compare(Body(digits), Body(digits)).agrees
    assert not compare(Body(digits), Body(digits + b"1")).agrees


def test_bytes_have_no_fields():
    with pytest.raises(InvalidInput, match="bytes have no fields"):
        rules(form=Form.EXACT, fields=["a"])


@given(BODIES)
def test_an_answer_agrees_with_itself(body):
    comparison = compare(body, body)
    assert comparison.agrees, str(comparison)
    assert not any(math.fsum(each) for each in comparison.deviations.values())


@given(BODIES, BODIES, st.sampled_from([0.0, 0.5, 10.0]))
def test_it_is_the_same_both_ways(one, other, bound):
    rule = rules(tolerance=Tolerance(bound))
    there, back = compare(one, other, rule), compare(other, one, rule)
    assert there.agrees is back.agrees
    assert there.counts == back.counts
    assert there.deviations.keys() == back.deviations.keys()


@given(VALUES)
def test_what_was_written_down_equals_what_says_it(value):
    assert compare_value(value, a_json(value)).agrees
    assert not compare_value([value], a_json(value)).agrees


def test_an_expected_text_is_read_as_the_answer_is():
    assert compare_value("1,2\n", Body(b"1.0,2", "text/csv")).agrees
    assert compare_value("0.5", Body(b"0.50", "text/plain")).agrees
    assert compare_value("[1]", a_json("[1]")).agrees
    assert not compare_value("[1]", a_json([1])).agrees
    assert not compare_value("1", a_json(1)).agrees
