"""How far back the use of an endpoint matters."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from parkade.domain.errors import Unavailable
from parkade.domain.idle import IdleRules
from parkade.domain.terms import Keep, Sleep, Terms
from parkade.services.lookback import Lookback
from tests.builders import a_watch, an_event, minutes
from tests.ports.stores import stores

HOUR = timedelta(hours=1)


@pytest.fixture
def kept(tmp_path):
    with stores("memory", tmp_path) as built:
        yield built


def settle(kept, name, **terms):
    from tests.builders import a_lease

    kept.book.put(a_lease(endpoint_name=name), an_event())
    kept.terms.put(Terms(endpoint_name=name, **terms), an_event())


def watch(kept, name, rules):
    kept.watches.put(a_watch(endpoint_name=name, rules=rules), None, before=None)


#: One endpoint is asked for by itself, many by all that is settled.
OTHERS = [[], [f"other-{number}" for number in range(9)]]


@pytest.mark.parametrize("others", OTHERS, ids=["one", "many"])
def test_it_is_the_longest_timer_of_what_is_settled_and_watched(kept, others):
    settle(
        kept,
        "falcon",
        sleep=Sleep(after=2 * HOUR),
        keep=Keep(by=minutes(5), when_left=3 * HOUR, at_most=HOUR),
    )
    settle(kept, "parrot", sleep=Sleep(after=None))
    watch(kept, "parrot", IdleRules(window=2 * HOUR, notice_after=5, stop_after=4))
    look = Lookback(kept.terms, kept.watches)
    found = look(["falcon", "parrot", "other", *others])
    assert found["falcon"] == 3 * HOUR
    assert found["parrot"] == 10 * HOUR
    assert found["other"] == timedelta(0)
    assert len(found) == 3 + len(others)
    watch(kept, "falcon", IdleRules(window=2 * HOUR, notice_after=None, stop_after=2))
    assert look(["falcon", *others])["falcon"] == 4 * HOUR


@pytest.mark.parametrize("others", OTHERS, ids=["one", "many"])
def test_what_is_damaged_counts_for_nothing_and_harms_no_other(kept, others):
    settle(kept, "falcon", sleep=Sleep(after=2 * HOUR))
    watch(kept, "falcon", IdleRules(window=4 * HOUR, stop_after=1, notice_after=None))
    kept.damage_terms("falcon")
    look = Lookback(kept.terms, kept.watches)
    assert look(["falcon", *others])["falcon"] == 4 * HOUR
    kept.damage_watch("falcon")
    assert look(["falcon", *others])["falcon"] == timedelta(0)


def test_stores_that_cannot_be_read_are_told(kept):
    def away(_=None):
        raise Unavailable("the disk is away")

    store = SimpleNamespace(all=away, get=away)
    for names in (["falcon"], [f"falcon-{number}" for number in range(9)]):
        with pytest.raises(Unavailable):
            Lookback(store, kept.watches)(names)
