"""What may be called what."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain import names
from parkade.domain.errors import InvalidInput

GOOD = ["a", "A1", "falcon-7b", "a--b", "9" * 63]
BAD = ["", "-a", "a-", "a_b", "a.b", "a b", "ä", "a\n", "9" * 64, None, 7, ["a"]]


@pytest.mark.parametrize("name", GOOD)
def test_endpoints_and_models_take_these_names(name):
    assert names.endpoint_name(name) == names.model_name(name) == names.token_name(name) == name


@pytest.mark.parametrize("name", BAD)
def test_endpoints_refuse_these_names(name):
    with pytest.raises(InvalidInput) as refusal:
        names.endpoint_name(name, field="EndpointConfigName")
    assert refusal.value.field == "EndpointConfigName"
    assert "EndpointConfigName" in refusal.value.message


@pytest.mark.parametrize("name", ["ann.b", "ann_b", "a-.b"])
def test_tokens_may_have_dots_and_underscores(name):
    assert names.token_name(name) == name


@given(st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", fullmatch=True))
def test_sagemakers_own_pattern_is_what_counts(name):
    if len(name) <= 63:
        assert names.endpoint_name(name) == name
    else:
        with pytest.raises(InvalidInput):
            names.endpoint_name(name)


@pytest.mark.parametrize("text", ["/falcon", "falcon", "/a.b_c-d"])
def test_a_route_is_one_segment(text):
    assert names.route_path(text) == "/" + text.removeprefix("/")


@pytest.mark.parametrize(
    "text", ["", "/", "//a", "/a/b", "/a b", "/a?b", "/.", "/..", "/" + "a" * 64, None]
)
def test_anything_else_is_no_route(text):
    with pytest.raises(InvalidInput, match="path"):
        names.route_path(text)


@pytest.mark.parametrize("name", sorted(names.RESERVED_ROUTES))
def test_parkades_own_paths_are_reserved(name):
    with pytest.raises(InvalidInput, match="reserved"):
        names.route_path("/" + name)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("s3://bucket/key", ("bucket", "key")),
        ("s3://b-u.k/a/b/model.tar.gz", ("b-u.k", "a/b/model.tar.gz")),
        ("s3://bucket/a b", ("bucket", "a b")),
    ],
)
def test_an_s3_address_has_a_bucket_and_a_key(text, parts):
    assert names.s3_address(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "", "s3://", "s3://bucket", "s3://bucket/", "s3://Bucket/key", "s3://b/key", "s3:///key",
        "https://bucket/key", "s3://bucket/../key", "s3://bucket/a/../../key", "s3://bucket/./key",
        "s3://bucket//key", "s3://bucket/a//b", "s3://bu..ket/key", "s3://192.168.5.123/key", "s3://bucket/a\0b",
        "s3://bucket/" + "k" * 1025, None,
    ],
)  # fmt: skip
def test_an_address_that_climbs_or_is_none_is_refused(text):
    with pytest.raises(InvalidInput) as refusal:
        names.s3_address(text)
    assert refusal.value.field == "ModelDataUrl"


@given(st.text())
def test_no_accepted_key_leaves_its_folder(text):
    try:
        _, key = names.s3_address("s3://bucket/" + text)
    except InvalidInput:
        return
    assert not key.startswith("/")
    assert not {".", ".."} & set(re.split("/", key))


def test_a_suggestion_names_what_was_meant():
    assert names.suggestion("warnigs", ["limits", "warnings"]) == "did you mean 'warnings'?"
    assert names.suggestion("zebra", ["limits", "warnings"]) == ""
