"""Synthetic teams: the same for the same seed, and as their words say."""

import pytest

from parkade.domain import synthetic
from parkade.domain.errors import InvalidInput


def drawn(count=5, days=14, seed=7):
    return {each.endpoint_name: each for each in synthetic.teams(count, days=days, seed=seed)}


def requests(habits):
    return {name: each.traffic.bursts for name, each in habits.items()}


def test_the_same_seed_throws_the_same_dice_and_another_one_others():
    assert requests(drawn()) == requests(drawn())
    assert requests(drawn(seed=8)) != requests(drawn())


def test_one_more_team_changes_nothing_about_the_others():
    few, many = requests(drawn(3)), requests(drawn(25))
    assert {name: many[name] for name in few} == few
    assert len(many) == 50


def test_everything_lies_within_its_days():
    period = synthetic.period(14)
    for each in drawn(20).values():
        assert all(period.start <= burst.at < period.end for burst in each.traffic.bursts)
        assert all(burst.count > 0 for burst in each.traffic.bursts)


def test_habits_are_what_their_words_say():
    habits = drawn()
    weekdays = {burst.at.weekday() for burst in habits["ants-lab"].traffic.bursts}
    assert weekdays == {0, 1, 2, 3, 4}
    assert {burst.at.weekday() for burst in habits["dogs-hobby"].traffic.bursts} == {5, 6}
    nightly = habits["ants-nightly"].traffic.bursts
    assert {burst.at.hour for burst in nightly} <= set(range(6))
    assert len({burst.at.date() for burst in nightly}) == 14
    live = habits["cats-live"].traffic
    assert len(live.bursts) > 0.8 * 14 * 24 * 60
    trial = {burst.at.date() for burst in habits["bees-trial"].traffic.bursts}
    assert len(trial) <= 3
    assert max(trial).toordinal() - min(trial).toordinal() >= 5


def test_every_team_has_people_who_come():
    assert all(each.traffic.requests for name, each in drawn(20).items() if name.endswith("-lab"))


@pytest.mark.parametrize(("count", "days"), [(0, 14), (201, 14), (5, 0), (5, 367)])
def test_impossible_numbers_are_refused(count, days):
    with pytest.raises(InvalidInput, match="are not between"):
        synthetic.teams(count, days=days, seed=7)
