"""RFC 7240's header as callers write it, and as they should not."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.apps.gateway.preferences import preferences


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((), {}),
        (("wait=30",), {"wait": 30}),
        (("Wait = 30 ",), {"wait": 30}),
        (('wait="30"',), {"wait": 30}),
        (("wait=0",), {"wait": 0}),
        (("respond-async",), {"respond_async": True}),
        (("respond-async, wait=10",), {"wait": 10, "respond_async": True}),
        (("respond-async", "wait=10"), {"wait": 10, "respond_async": True}),
        (("wait=10;foo=bar; baz",), {"wait": 10}),
        (('return=minimal, foo="a, wait=9", wait=10',), {"wait": 10}),
        # Of one that is given twice the first counts.
        (("wait=10, wait=20",), {"wait": 10}),
        (("wait=10", "wait=20"), {"wait": 10}),
        # What has no meaning is no preference.
        (("wait",), {}),
        (("wait=",), {}),
        (("wait=-1",), {}),
        (("wait=1.5",), {}),
        (("wait=soon",), {}),
        (("wait=1000000000000",), {}),
        (("wait=\xb2",), {}),
        (("handling=lenient",), {}),
        (("respond-async-not",), {}),
        ((",,;;==",), {}),
        (('foo="open, wait=10',), {"wait": 10}),
    ],
)
def test_preferences(values: tuple[str, ...], said: dict[str, Any]) -> None:
    assert preferences(values) == said


@given(st.lists(st.text(alphabet='wait=10respond-async,;" \\\t\xe9', max_size=60), max_size=3))
def test_whatever_is_written_means_something_or_nothing(values: list[str]) -> None:
    said = preferences(values)
    assert said.keys() <= {"wait", "respond_async"}
    assert 0 <= said.get("wait", 0) < 10**9


def test_a_header_that_is_all_quotes_takes_no_time() -> None:
    begun = time.process_time()
    assert preferences(['"\\' * 30_000]) == {}
    assert time.process_time() - begun < 2
