"""Who gets what: by weight, and whoever need not move does not."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from parkade.domain.assignment import assigned, crosses, point

WEIGHTS = some.floats(0.01, 100)
VARIANTS = some.dictionaries(some.text("abcAB-1", min_size=1, max_size=8), WEIGHTS, min_size=2)
CALLERS = [f"caller-{number}" for number in range(60)]


def spread(weights: dict[str, float], callers: list[str] = CALLERS) -> dict[str, str | None]:
    return {caller: assigned(caller, weights.items()) for caller in callers}


@pytest.mark.parametrize(
    "weights",
    [{"a": 1, "b": 1}, {"a": 9, "b": 1}, {"a": 0.2, "b": 0.8}, {"a": 1, "b": 2, "c": 3, "d": 4}],
)
@pytest.mark.parametrize("salt", ["", "endpoint ", "x" * 1000])
def test_shares_follow_the_weights(weights: dict[str, float], salt: str) -> None:
    """Within five standard deviations of what chance would do."""
    count = 20_000
    seen = Counter(spread(weights, [f"{salt}{number}" for number in range(count)]).values())
    whole = sum(weights.values())
    for name, weight in weights.items():
        share = weight / whole
        assert abs(seen[name] - count * share) < 5 * math.sqrt(count * share * (1 - share))


@given(VARIANTS, some.data(), some.floats(1.001, 1000))
def test_where_a_weight_grows_nobody_moves_but_to_it(
    weights: dict[str, float], data: some.DataObject, factor: float
) -> None:
    grown = data.draw(some.sampled_from(sorted(weights)))
    before = spread(weights)
    after = spread({**weights, grown: weights[grown] * factor})
    assert all(after[each] in {before[each], grown} for each in CALLERS)


@given(VARIANTS, some.floats(0.01, 100))
def test_it_is_the_ratio_of_weights_that_counts(weights: dict[str, float], factor: float) -> None:
    """So 20 : 80 after 50 : 50 moves callers one way alone, though one weight fell."""
    assert spread({name: weight * factor for name, weight in weights.items()}) == spread(weights)


def test_the_share_of_a_weight_that_grows_fills_up_from_the_others() -> None:
    before, after = spread({"a": 0.5, "b": 0.5}), spread({"a": 0.2, "b": 0.8})
    moved = {(before[each], after[each]) for each in CALLERS if before[each] != after[each]}
    assert moved == {("a", "b")}


@given(VARIANTS, some.data())
def test_who_lost_a_variant_comes_back_and_nobody_else_moved(
    weights: dict[str, float], data: some.DataObject
) -> None:
    gone = data.draw(some.sampled_from(sorted(weights)))
    whole = spread(weights)
    without = spread({name: weight for name, weight in weights.items() if name != gone})
    assert gone not in without.values()
    assert all(without[each] == whole[each] for each in CALLERS if whole[each] != gone)


@given(VARIANTS, some.randoms())
def test_the_order_does_not_matter(weights: dict[str, float], chance: object) -> None:
    shuffled = list(weights.items())
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert spread(dict(shuffled)) == spread(weights)


def test_what_has_no_weight_gets_nobody() -> None:
    assert set(spread({"a": 1, "b": 0, "c": -1}).values()) == {"a"}
    assert assigned("x", [("a", 0.0)]) is None
    assert assigned("x", []) is None


@given(some.text(), some.text())
def test_a_point_is_between_nothing_and_all(caller: str, name: str) -> None:
    assume(not any("\ud800" <= each <= "\udfff" for each in caller + name))
    assert 0 < point(caller, name) < 1


@given(some.lists(some.floats(0, 1), min_size=2, max_size=6))
def test_who_crossed_has_crossed_at_each_larger_share(shares: list[float]) -> None:
    over: set[str] = set()
    for share in sorted(shares):
        now = {each for each in CALLERS if crosses(each, "generation 2", share)}
        assert over <= now
        over = now


def test_all_cross_at_the_end_and_to_each_thing_others_first() -> None:
    assert not any(crosses(each, "g", 0.0) for each in CALLERS)
    assert all(crosses(each, "g", 1.0) for each in CALLERS)
    first, second = (
        {each for each in CALLERS if crosses(each, f"generation {number}", 0.1)}
        for number in (2, 3)
    )
    assert 0 < len(first) < 20
    assert first != second
