"""Java's patterns mean the same here."""

import sys
import unicodedata

import pytest

from parkade.apps.sagemaker import description
from parkade.apps.sagemaker.operations import OPERATIONS
from parkade.apps.wire import patterns
from tests.apps.sagemaker.shapes import reachable

TAG = r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"


def test_every_pattern_of_every_operation_built_here_can_be_used():
    found = {
        shape.metadata["pattern"]
        for name in OPERATIONS
        for shape in reachable(description.operation(name).input_shape).values()
        if "pattern" in shape.metadata
    }
    assert TAG in found
    for pattern in found:
        patterns.matches(pattern, "a")
        patterns.matches(pattern, "é")


def test_letters_blanks_and_digits_are_those_of_unicode():
    surrogates = range(0xD800, 0xE000)
    for code in range(sys.maxunicode + 1):
        if code not in surrogates:
            character = chr(code)
            wanted = unicodedata.category(character)[0] in "LZN" or character in "_.:/=+-@"
            assert patterns.matches(TAG, character) == wanted, hex(code)


@pytest.mark.parametrize("pattern", [r"\d+", r"[0-9\d]*", r"\w", r"[\w]"])
def test_digits_and_words_are_those_of_ascii(pattern):
    assert patterns.matches(pattern, "7")
    assert not patterns.matches(pattern, "٣")


def test_characters_in_two_halves_are_whole_ones():
    shown = r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*"
    for text in ("a b\n\t", "\ud7ff\ue000\ufffd", "\U00010000\U0001f600\U0010ffff"):
        assert patterns.matches(shown, text)
    for character in ("\x00", "\x1f", "\ufffe", "\ud800", "\udfff"):
        assert not patterns.matches(shown, character)


def test_the_whole_text_has_to_match():
    assert not patterns.matches("[a-z]+", "abc\n")
    assert not patterns.matches("[a-z]+|[0-9]+", "abc9")
