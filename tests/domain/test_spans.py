"""Spans of time as people write them."""

from datetime import timedelta

import pytest

from parkade.domain.errors import InvalidInput
from parkade.domain.spans import read_span


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), ("2h", 7200), ("1d", 86400), ("0s", 0)]
)
def test_spans_are_read(text, seconds):
    assert read_span(text, field="grace") == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5M", "1.5h", "5m30s", "5m\n"])
def test_other_texts_are_refused_with_what_to_write(text):
    with pytest.raises(InvalidInput) as caught:
        read_span(text, field="grace")
    assert caught.value.field == "grace"
    assert "90s, 5m, 2h or 1d" in caught.value.hint
