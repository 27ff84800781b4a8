"""Requests of Parkade's own."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.ownrequests import REPLAY, TEST, inference_id, is_own

#: What SageMaker's runtime takes as an InferenceId.
PATTERN = re.compile(r"\A\S[\x20-\x7e]{0,63}\Z")


def test_what_it_is_about_can_be_read_where_there_is_room():
    assert inference_id(TEST, "tc-001") == "parkade-test-tc-001"
    event = "8f45e35c-1111-2222-3333-444455556666"
    assert inference_id(REPLAY, event) == f"parkade-replay-{event}"


@given(st.text(max_size=80), st.sampled_from([REPLAY, TEST]))
def test_it_is_always_an_inference_id_and_known_again(name, beginning):
    told = inference_id(beginning, name)
    assert PATTERN.match(told)
    assert is_own(told)
    assert told == inference_id(beginning, name)


@pytest.mark.parametrize("given_id", ["", "mine", "a parkade-test-x", "Parkade-test-x", "parkade-"])
def test_others_are_not(given_id):
    assert not is_own(given_id)
