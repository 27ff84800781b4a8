"""Target models: their names, their addresses, who gives way."""

import pytest

from parkade.domain.errors import InvalidInput
from parkade.domain.targets import (
    Loaded,
    TargetSetting,
    opaque_name,
    target_address,
    target_model,
    target_of,
    victim,
)
from tests.builders import NOW, seconds


@pytest.mark.parametrize(
    ("prefix", "target", "address"),
    [
        ("s3://models/many/", "a/b.tar.gz", "s3://models/many/a/b.tar.gz"),
        ("s3://models/many", "b.tar.gz", "s3://models/many/b.tar.gz"),
        ("s3://models", "b.tar.gz", "s3://models/b.tar.gz"),
        ("s3://models/many", "/b.tar.gz", "s3://models/many/b.tar.gz"),
        ("s3://models/many", "a b.tar.gz", "s3://models/many/a b.tar.gz"),
    ],
)
def test_a_target_lies_below_the_prefix(prefix, target, address):
    assert target_address(prefix, target) == address
    assert target_of(prefix, address) == target.lstrip("/")


@pytest.mark.parametrize(
    "target",
    ["", "/", "..", "../x", "a/../b", "a/./b", "a//b", "a/", "a\nb", " a", "x" * 1025, "a\0"],
)
def test_what_cannot_name_a_target(target):
    with pytest.raises(InvalidInput, match="TargetModel"):
        target_model(target)


def test_a_target_elsewhere_is_none_of_the_prefix():
    assert target_of("s3://models/many", "s3://models/many2/a") is None
    assert target_of("s3://models/many", "s3://other/many/a") is None


def test_another_content_has_another_name():
    names = {
        opaque_name("s3://models/a", "1"),
        opaque_name("s3://models/a", "2"),
        opaque_name("s3://models/b", "1"),
    }
    assert len(names) == 3
    assert opaque_name("s3://models/a", "1") in names


@pytest.mark.parametrize("ttl", [0, -1, float("inf"), float("nan")])
def test_a_time_to_live_is_a_number_above_0(ttl):
    with pytest.raises(InvalidInput, match="ttl_minutes"):
        TargetSetting(endpoint_name="many", target="a", ttl_minutes=ttl)


def loaded(target, age, **changes):
    return Loaded(target=target, used_at=NOW - seconds(age), **changes)


def test_the_model_unused_for_longest_gives_way():
    copies = [loaded("a", 1), loaded("b", 3), loaded("c", 2)]
    assert victim(copies).target == "b"


def test_a_busy_model_gives_way_only_where_all_are_busy():
    assert victim([loaded("a", 9, busy=True), loaded("b", 1)]).target == "b"
    assert victim([loaded("a", 9, busy=True), loaded("b", 1, busy=True)]).target == "a"


def test_a_pinned_model_never_gives_way():
    assert victim([loaded("a", 9, pinned=True), loaded("b", 1, busy=True)]).target == "b"
    assert victim([loaded("a", 9, pinned=True)]) is None
    assert victim([]) is None
