"""Contents compared member by member, their fingerprints, and what is hidden of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.project import contents
from parkade.domain.project.difference import Field
from parkade.domain.project.secrets import MASK, masked, secret_members, veiled

NAMES = st.sampled_from(["a", "b", "name"])
LEAVES = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 2.0, "x", "y"])
CONTENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


def told(before, after):
    return [(each.path, each.before, each.after) for each in contents.fields(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({"a": 1}, {}, [("a", 1, None)]),
        ({"a": None}, {}, []),
        ({"a": 1.0}, {"a": 1}, []),
        ({"a": True}, {"a": 1}, [("a", True, 1)]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, [("a.b.c", 1, 2)]),
        ({}, {"a": {"b": 1, "c": None}}, [("a.b", None, 1)]),
        ({"a": {}}, {}, [("a", {}, None)]),
        ({"a": [1, 2]}, {"a": [2, 1]}, [("a", [1, 2], [2, 1])]),
        ({"a": {"b": 1}}, {"a": 5}, [("a", {"b": 1}, 5)]),
    ],
)
def test_members_are_told_by_their_paths(before, after, fields):
    assert told(before, after) == fields


def test_objects_of_a_list_are_compared_by_their_names():
    blue, green = {"VariantName": "blue", "weight": 1}, {"VariantName": "green", "weight": 1}
    assert told({"v": [blue]}, {"v": [green, {**blue, "weight": 3}]}) == [
        ("v[blue].weight", 1, 3),
        ("v[green].VariantName", None, "green"),
        ("v[green].weight", None, 1),
    ]
    assert told({}, {"v": [blue]}) == [
        ("v[blue].VariantName", None, "blue"),
        ("v[blue].weight", None, 1),
    ]
    assert told({}, {"v": [{"id": "x"}]}) == [("v", None, [{"id": "x"}])]
    assert told({"v": [blue, green]}, {"v": [green, blue]}) == [
        ("v", ["blue", "green"], ["green", "blue"])
    ]


def test_objects_without_names_are_compared_by_their_place_while_there_are_as_many():
    assert told({"v": [{"x": 1}, {"x": 2}]}, {"v": [{"x": 1}, {"x": 3}]}) == [("v[1].x", 2, 3)]
    assert told({"v": [{"x": 1}]}, {"v": [{"x": 1}, {"x": 3}]}) == [
        ("v", [{"x": 1}], [{"x": 1}, {"x": 3}])
    ]


@given(CONTENTS, CONTENTS)
def test_what_has_one_fingerprint_differs_in_nothing(one, other):
    assert told(one, one) == []
    if contents.fingerprint(one) == contents.fingerprint(other):
        assert told(one, other) == []
    # A difference is one from both sides.
    assert bool(told(one, other)) == bool(told(other, one))


@given(st.dictionaries(NAMES, CONTENTS, max_size=3), st.dictionaries(NAMES, CONTENTS, max_size=3))
def test_every_difference_has_two_sides(one, other):
    for field in contents.fields(one, other):
        assert field.before != field.after or type(field.before) is not type(field.after)
        assert field.path


DOCUMENT = {
    "models": {"a": {"environment": {"LEVEL": "info", "KEY": {"env": "MY_KEY"}}}},
    "monitor": {"subscribers": [{"name": "hook", "url": {"file": "hook.txt"}}]},
    "routes": {"/x": {"env": "no reference", "endpoint": "one"}},
}


def test_what_is_referred_to_is_secret_wherever_it_is_called_so():
    members = secret_members(DOCUMENT)
    assert members >= {"KEY", "url"}
    assert not members & {"LEVEL", "env", "/x", "endpoint"}
    content = {"environment": {"KEY": "s3cret", "LEVEL": "info"}, "to": [{"url": "https://x"}]}
    assert masked(content, members) == {
        "environment": {"KEY": MASK, "LEVEL": "info"},
        "to": [{"url": MASK}],
    }


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ("environment.KEY", True),
        ("environment.LEVEL", False),
        ("environment.OTHER", True),
        ("environment", True),
        ("containers[0].environment.DEEP", True),
        ("containers[1].environment.DEEP", False),
        ("subscribers[hook].url", True),
        ("image", False),
    ],
)
def test_fields_with_secrets_tell_neither_value(path, hidden):
    paths = {"environment.OTHER", "containers.0.environment.DEEP"}
    field = veiled(Field(path=path, before="old", after="new"), secret_members(DOCUMENT), paths)
    assert field.hidden == hidden
    assert (field.before, field.after) == ((None, None) if hidden else ("old", "new"))
