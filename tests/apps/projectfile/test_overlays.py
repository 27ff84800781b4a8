"""Stages: how they are laid over a file, and over each other."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkade.apps.projectfile import overlays
from parkade.apps.projectfile.problem import BadFile
from parkade.apps.projectfile.tree import plain, tree_of
from tests.apps.projectfile.folder import SMALL

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=4)
keys = st.sampled_from("abcd")
named = st.lists(
    st.dictionaries(keys, scalars, max_size=2).flatmap(
        lambda inner: st.sampled_from("xyz").map(lambda name: {**inner, "name": name})
    ),
    max_size=3,
    unique_by=lambda each: each["name"],
)
values = st.recursive(
    scalars | named,
    lambda inner: st.dictionaries(keys, inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=12,
)
tables = st.dictionaries(keys, values, max_size=4)


def tree(value):
    return tree_of(value, {})


def merged(under, *over):
    result = tree(under)
    for each in over:
        result = overlays.merged(result, tree(each))
    return plain(result)


@settings(max_examples=40)
@given(tables, tables)
def test_laying_the_same_over_it_again_changes_nothing(under, over):
    assert merged(under, over, over) == merged(under, over)


@settings(max_examples=40)
@given(tables)
def test_nothing_laid_over_it_changes_nothing(under):
    assert merged(under, {}) == under
    assert merged({}, under) == under


@settings(max_examples=40)
@given(tables, tables)
def test_neither_is_changed(under, over):
    before = copy.deepcopy((under, over))
    trees = tree(under), tree(over)
    result = overlays.merged(*trees)
    plain(result)
    assert (plain(trees[0]), plain(trees[1])) == before


@settings(max_examples=40)
@given(tables, tables)
def test_what_is_laid_over_is_what_holds(under, over):
    result = merged(under, over)
    for key, value in over.items():
        if not isinstance(value, dict | list):
            assert result[key] == value
    for key in under.keys() - over.keys():
        assert result[key] == under[key]


def test_lists_of_named_things_are_merged_by_name_and_others_replaced():
    names = [{"name": "A", "n": 1, "m": 1}, {"name": "B", "n": 1}]
    under = {"v": names, "types": [1, 2], "gone": names}
    over = {"v": [{"name": "C"}, {"name": "A", "n": 2}], "types": [3], "gone": []}
    assert merged(under, over) == {
        "v": [{"name": "A", "n": 2, "m": 1}, {"name": "B", "n": 1}, {"name": "C"}],
        "types": [3],
        "gone": [],
    }


def staged(file, wanted=None):
    result, chosen = overlays.staged(tree(file), wanted)
    return plain(result), chosen


CHAIN = {
    "a": 0,
    "stages": {
        "one": {"a": 1, "b": 1},
        "two": {"base": "one", "b": 2, "c": 2},
        "three": {"base": "two", "c": 3},
    },
}


def test_a_stage_is_laid_over_all_that_it_builds_on():
    assert staged(CHAIN, "three") == ({"a": 1, "b": 2, "c": 3}, "three")
    assert staged(CHAIN, "two") == ({"a": 1, "b": 2, "c": 2}, "two")
    assert staged(CHAIN, "one") == ({"a": 1, "b": 1}, "one")


@settings(max_examples=40)
@given(st.integers(1, 8), st.data())
def test_in_a_chain_the_last_one_that_says_something_holds(length, data):
    names = [f"s{number}" for number in range(length)]
    says = [data.draw(st.dictionaries(keys, st.integers())) for _ in names]
    stages = {
        name: {**content, **({"base": names[number - 1]} if number else {})}
        for number, (name, content) in enumerate(zip(names, says, strict=True))
    }
    expected = {}
    for each in says:
        expected |= each
    assert staged({"stages": stages}, names[-1])[0] == expected


@settings(max_examples=40)
@given(st.integers(1, 6), st.integers(0, 5))
def test_a_circle_is_refused_whichever_stage_is_asked_for(length, apart):
    stages = {f"s{n}": {"base": f"s{(n + 1) % length}"} for n in range(length)}
    stages["apart"] = {"a": apart}
    with pytest.raises(BadFile, match="in a circle"):
        overlays.staged(tree({"stages": stages}), "apart")


def test_the_files_own_stage_is_the_file_alone():
    file = {"stage": "Demo", "a": 0, "stages": {"prod": {"base": "Demo", "a": 1}}}
    assert staged(file) == ({"a": 0}, "Demo")
    assert staged(file, "prod") == ({"a": 1}, "prod")
    with pytest.raises(BadFile, match="no stage 'Prod': did you mean 'prod'"):
        staged(file, "Prod")


def test_a_file_that_names_no_stage_takes_any():
    assert staged({"a": 0}, "prod") == ({"a": 0}, "prod")
    assert staged({"a": 0}) == ({"a": 0}, "")


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([], "stages is not a mapping"),
        ({"prod": 1}, "stages.prod is not a mapping"),
        ({"prod": {"base": 1}}, "stages.prod.base is not the name of a stage"),
        ({"prod": {"stages": {}}}, "a stage cannot change stages"),
    ],
)
def test_stages_that_are_none(stages, message):
    with pytest.raises(BadFile, match=message):
        staged({"stages": stages}, "prod")


def test_null_removes_what_was_there(folder):
    text = SMALL + (
        "    owner: ann\n    deploy: false\nroutes: {/text: {endpoint: text}}\n"
        "stages: {prod: {routes: {/text: null}, endpoints: {text: {owner: null, deploy: null}}}}\n"
    )
    content = folder.read(text, stage="prod").content
    assert content.routes == {}
    assert content.endpoints["text"].owner is None
    assert content.endpoints["text"].deploy


def test_null_stays_where_it_has_a_meaning(folder):
    text = SMALL + (
        "monitor: {thresholds: {calls: 7}}\nstages: {prod: {monitor: {thresholds: {calls: null}}}}"
    )
    assert folder.read(text, stage="prod").content.monitor.thresholds.calls is None


def test_a_problem_of_a_stage_is_told_with_the_stages_line(folder):
    text = SMALL + "stages:\n  prod:\n    endpoints: {text: {variants: [{name: A, model: b}]}}\n"
    (told,) = folder.refused(text, stage="prod")
    assert told.startswith("parkade.yaml:10:45: endpoints.text.variants[0].model: the file has no")
