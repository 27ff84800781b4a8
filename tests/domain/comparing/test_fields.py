"""Fields of answers, as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.comparing.fields import EVERY, Field, general, written
from parkade.domain.errors import InvalidInput

STEPS = st.one_of(st.text(max_size=8), st.integers(0, 10**6), st.just(EVERY))


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("$", ()),
        ("label", ("label",)),
        ("$.label", ("label",)),
        (" results[*].score ", ("results", EVERY, "score")),
        ("[2]", (2,)),
        ("$[0][1]", (0, 1)),
        ("a.*.b", ("a", EVERY, "b")),
        ('$[\'odd name\']["say \\"it\\""]', ("odd name", 'say "it"')),
        ("a-b.c_d", ("a-b", "c_d")),
        ("größe", ("größe",)),
    ],
)
def test_a_field_is_read_as_it_is_written(text, steps):
    assert Field.read(text).steps == steps


@given(st.lists(STEPS, max_size=5))
def test_what_is_written_is_read_again(steps):
    assert Field.read(written(steps)).steps == tuple(steps)


@pytest.mark.parametrize("text", ["", " ", "a..b", "a[", "a[x]", "a['x]", 3, None, "a b", "[-1]"])
def test_what_names_no_field_is_refused_and_quoted(text):
    with pytest.raises(InvalidInput, match="names no field") as refused:
        Field.read(text, field="ignore")
    assert refused.value.field == "ignore"
    assert "results[*].score" in refused.value.hint


def test_places_of_one_field_are_one():
    assert general(("results", 7, "score")) == "$.results[*].score"
    assert general(()) == "$"
