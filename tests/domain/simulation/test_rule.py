"""Rules as people write them."""

import re

import pytest

from parkade.domain.errors import InvalidInput
from parkade.domain.idle import IdleRules
from parkade.domain.simulation.rule import DEFAULTS, parse
from parkade.domain.terms import Keep
from tests.builders import minutes, seconds


def test_all_that_a_rule_can_say():
    rule = parse(
        "all: lease=60 back=5 idle=3x10 grace=2 keep=15/5/120 sleep=10 start=45 "
        "schedule='mon-fri 09:00-17:00 Europe/Berlin'"
    )
    assert rule.name == "all"
    assert (rule.lease, rule.back, rule.sleep, rule.start) == (
        minutes(60), minutes(5), minutes(10), seconds(45),
    )  # fmt: skip
    assert rule.idle == IdleRules(
        grace=minutes(2), window=minutes(10), notice_after=None, stop_after=3
    )
    assert rule.keep == Keep(by=minutes(15), when_left=minutes(5), at_most=minutes(120))
    assert rule.schedule == "mon-fri 09:00-17:00 Europe/Berlin"
    assert not rule.always


def test_a_rule_without_a_name_is_called_what_it_says():
    assert parse("lease=60 idle=3x5").name == "lease=60 idle=3x5"
    assert parse("schedule='mon-fri 09:00-17:00 UTC'").schedule == "mon-fri 09:00-17:00 UTC"


def test_the_start_that_holds_for_all_gives_way_to_a_rule_s_own():
    assert parse("a: lease=60", start=seconds(300)).start == seconds(300)
    assert parse("a: lease=60 start=5", start=seconds(300)).start == seconds(5)


def test_only_what_says_who_pays_is_not_always_on():
    assert parse("nap: sleep=10").always
    assert not parse("coin: lease=1").always


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it has no name"),
        ("a: leese=60", "unknown 'leese'.*lease"),
        ("a: lease", "lease has no value.*lease=60"),
        ("a: lease=", "lease= is not understood"),
        ("a: lease=ten", "lease=ten is not understood"),
        ("a: lease=0", "lease=0 is not understood"),
        ("a: lease=-5", "lease=-5"),
        ("a: lease=nan", "lease=nan"),
        ("a: lease=1e99", "lease=1e99"),
        ("a: lease=60 lease=30", "lease is given twice"),
        ("a: lease=60 idle=5", "idle=5 is not understood.*3x5"),
        ("a: lease=60 idle=0x5", "idle=0x5"),
        ("a: lease=60 idle=3x0", "idle=3x0"),
        ("a: lease=60 grace=5", "grace.*missing"),
        ("a: lease=60 keep=15/5", "keep=15/5 is not understood"),
        ("a: lease=60 keep=15/0/5", "keep=15/0/5"),
        ("a: lease=60 start=-1", "start=-1"),
        ("a: sleep=0.5", "sleep.after 30 s is not within 1 min"),
        ("a: schedule='mon-fri", "quotation mark"),
        ("a: schedule='mon-fri 09:00'", "--rule 'a'.*mon-fri 09:00"),
        ("a: idle=3x5", "nothing starts it again.*lease=60"),
        ("a: keep=15/5/60", "keep extends a lease"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(text, told):
    with pytest.raises(InvalidInput, match="--rule") as refused:
        parse(text)
    assert re.search(told, f"{refused.value.message}; {refused.value.hint}")


def test_the_set_that_is_compared_by_default_is_sound():
    names = [parse(text).name for text in DEFAULTS]
    assert names[0] == "always on"
    assert len(set(names)) == len(names)
