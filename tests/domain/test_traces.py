"""Which trace contexts are passed on."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.traces import trace_context, valid_parent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def hexadecimal(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789abcdef", min_size=length, max_size=length)


_KEY = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=256)
_INNER = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in ",=")
_VALUE = st.text(_INNER, min_size=1, max_size=256).filter(lambda value: value == value.strip(" "))


@given(hexadecimal(32), hexadecimal(16), hexadecimal(2))
def test_a_parent_of_this_version_is_valid_unless_an_id_is_zero(
    trace: str, span: str, flags: str
) -> None:
    parent = f"00-{trace}-{span}-{flags}"
    good = trace != "0" * 32 and span != "0" * 16
    assert valid_parent(parent) is good
    assert trace_context([parent], []) == ((parent if good else ""), "")


@given(hexadecimal(2).filter(lambda each: each not in {"00", "ff"}), st.text("abc-", max_size=9))
def test_a_parent_of_a_later_version_may_say_more(version: str, more: str) -> None:
    rest = f"{TRACE}-{SPAN}-01"
    assert valid_parent(f"{version}-{rest}")
    assert valid_parent(f"{version}-{rest}-{more}")
    assert not more or valid_parent(f"{version}-{rest}{more}") is more.startswith("-")


@given(st.text(max_size=80))
def test_any_other_text_is_none(text: str) -> None:
    if valid_parent(text):
        version, trace, span, flags = text.split("-")[:4]
        assert (len(version), len(trace), len(span), len(flags)) == (2, 32, 16, 2)


@pytest.mark.parametrize(
    "parent",
    [
        "",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00{TRACE}{SPAN}01",
        f"0\u0660-{TRACE}-{SPAN}-01",
    ],
)
def test_a_parent_that_is_not_valid_takes_the_state_along(parent: str) -> None:
    assert trace_context([parent], ["a=1"]) == ("", "")


def test_two_parents_are_none() -> None:
    assert trace_context([PARENT, PARENT], ["a=1"]) == ("", "")
    assert trace_context([], ["a=1"]) == ("", "")


@given(st.dictionaries(_KEY, _VALUE, max_size=40))
def test_a_state_has_32_members_at_most(members: dict[str, str]) -> None:
    state = ",".join(f"{key}={value}" for key, value in members.items())
    passed = state if len(members) <= 32 else ""
    assert trace_context([PARENT], [state]) == (PARENT, passed)


@pytest.mark.parametrize(
    ("states", "passed"),
    [
        (["congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"], "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        (["a=1", "b=2"], "a=1,b=2"),
        ([" a=1 ,\tb=2,,"], "a=1,b=2"),
        (["tenant@system=x"], "tenant@system=x"),
        (["a=1,a=2"], ""),
        (["a=1", "a=2"], ""),
        (["A=1"], ""),
        (["a"], ""),
        (["a="], ""),
        (["a=b=c"], ""),
        (["a=\x7f"], ""),
        (["a=ü"], ""),
        (["a b=c"], ""),
        ([""], ""),
    ],
)
def test_a_state_is_passed_on_whole_or_not_at_all(states: list[str], passed: str) -> None:
    assert trace_context([PARENT], states) == (PARENT, passed)
