"""What comes of several policies, bounds and what is suspended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.scaling.activity import Held
from parkade.domain.scaling.deciding import decide
from parkade.domain.scaling.target import Suspended
from parkade.domain.scaling.votes import Direction, Vote
from tests.builders import NOW, minutes
from tests.domain.scaling.cases import a_policy, a_target, seen, vote


def a_vote(direction, wanted=0, name="", **changes):
    return Vote(
        policy_name=name or f"{direction}-{wanted}",
        direction=Direction(direction),
        wanted=wanted,
        reason="so it is",
        **changes,
    )


@pytest.mark.semantics("scaling.several")
@pytest.mark.parametrize(
    ("votes", "wanted"),
    [
        ([], 3),
        ([a_vote("out", 5), a_vote("out", 7)], 7),
        # Who wants more wins over who wants fewer.
        ([a_vote("in", 1), a_vote("out", 4)], 4),
        # Fewer only where all agree, and then the largest of them.
        ([a_vote("in", 1), a_vote("in", 2)], 2),
        ([a_vote("in", 1), a_vote("stay")], 3),
        # Who has nothing to say is in nobody's way, but what it needs is kept.
        ([a_vote("in", 1), a_vote("none")], 1),
        ([a_vote("in", 1), a_vote("none", 2)], 2),
        ([a_vote("stay"), a_vote("none")], 3),
        # Never beyond the bounds.
        ([a_vote("out", 70)], 10),
        ([a_vote("in", 0)], 1),
    ],
)
def test_the_largest_wins_and_fewer_takes_all(votes, wanted):
    assert decide(a_target(1, 10), 3, votes, NOW).wanted == wanted


@pytest.mark.parametrize(
    ("capacity", "wanted", "reason"),
    [
        (1, 2, "minimum capacity was set to 2"),
        (9, 5, "maximum capacity was set to 5"),
    ],
)
def test_a_capacity_outside_the_bounds_is_moved_to_the_nearest(capacity, wanted, reason):
    found = decide(a_target(2, 5), capacity, [a_vote("stay")], NOW)
    assert (found.wanted, found.reason) == (wanted, reason)


@pytest.mark.parametrize(
    ("suspended", "capacity", "votes"),
    [
        ({"scale_out": True}, 1, []),
        ({"scale_in": True}, 9, []),
        ({"scale_out": True}, 3, [a_vote("out", 5)]),
        ({"scale_in": True}, 3, [a_vote("in", 2)]),
    ],
)
def test_what_is_suspended_is_not_done_and_says_so(suspended, capacity, votes):
    target = a_target(2, 5, suspended=Suspended(**suspended))
    found = decide(target, capacity, votes, NOW)
    assert found.wanted == capacity
    assert "is suspended" in found.reason


def test_who_is_at_a_bound_says_which():
    held = decide(a_target(1, 3), 3, [a_vote("out", 5, "more")], NOW)
    assert (held.held, held.policy_name) == (Held.AT_MOST, "more")
    held = decide(a_target(3, 5), 3, [a_vote("in", 1, "less")], NOW)
    assert (held.held, held.policy_name) == (Held.AT_LEAST, "less")


def test_who_holds_a_scale_in_back_is_named():
    found = decide(a_target(), 3, [a_vote("in", 1, "less"), a_vote("stay", 0, "wait")], NOW)
    assert "policy less would scale in; not so wait: so it is" in found.reason


def test_the_next_time_is_the_first_that_a_policy_knows():
    votes = [a_vote("stay", next_at=NOW + minutes(4)), a_vote("stay", next_at=NOW + minutes(2))]
    assert decide(a_target(), 2, votes, NOW).next_at == NOW + minutes(2)


def test_a_policy_that_does_not_scale_in_keeps_what_its_load_needs():
    busy, idle = a_policy("busy", scale_in=False), a_policy("idle", target=6000.0)
    of = seen(*[550.0] * 16, capacity=4)
    votes = [vote(busy, of), vote(idle, of)]
    assert [each.direction for each in votes] == [Direction.NONE, Direction.IN]
    assert decide(a_target(), 4, votes, NOW).wanted == 4
    lighter = seen(*[450.0] * 16, capacity=4)
    assert decide(a_target(), 4, [vote(busy, lighter), vote(idle, lighter)], NOW).wanted == 3


_directions = st.sampled_from(list(Direction))
_votes = st.lists(st.builds(a_vote, _directions, st.integers(0, 50)), max_size=5)
_bounds = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted)


@given(_votes, st.integers(0, 50), _bounds)
def test_a_decision_is_within_the_bounds_or_no_change(votes, capacity, bounds):
    target = a_target(*bounds)
    found = decide(target, capacity, votes, NOW)
    assert target.least <= found.wanted <= target.most
    if target.least <= capacity <= target.most and found.wanted < capacity:
        assert not any(vote.direction is Direction.STAY for vote in votes)
    assert found.reason


@given(_votes, st.integers(1, 20), st.integers(1, 50))
def test_another_policy_that_asks_for_more_never_leads_to_fewer(votes, capacity, more):
    target = a_target(0, 100)
    before = decide(target, capacity, votes, NOW).wanted
    after = decide(target, capacity, [*votes, a_vote("out", capacity + more)], NOW).wanted
    assert after >= before
    assert after >= capacity
