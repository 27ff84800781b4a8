"""Whom the maintainer watches, by which timers, and what it remembers through what happens."""

from dataclasses import replace

import pytest

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.idle import IdleRules
from parkade.domain.terms import Terms
from parkade.domain.watching import Asked, Watched, asked, change, followed
from tests.builders import NOW, a_reading, a_watch, an_endpoint, minutes, seconds, some_opting
from tests.builders import some_use as use_of

TAG = {"auto-maintain": "true"}
BY_TAG = "tag auto-maintain=true"
UNKNOWN = use_of(a_reading(quiet_since=None, why="gone"))


def terms(**changes):
    return Terms(endpoint_name="falcon", **changes)


@pytest.mark.parametrize(
    ("watched", "tags", "settled", "by"),
    [
        ("tagged", {}, None, None),
        ("tagged", TAG, None, BY_TAG),
        ("tagged", {"auto-maintain": "false"}, None, None),
        ("tagged", {"Auto-Maintain": "true"}, None, None),
        ("tagged", TAG, terms(maintain=False), None),
        ("tagged", {}, terms(maintain=True), "lease settings"),
        ("tagged", TAG, terms(), BY_TAG),
        ("all", {}, None, "server settings"),
        ("all", {}, terms(maintain=False), "server settings"),
        ("none", TAG, terms(maintain=True), None),
    ],
)
def test_who_opts_in(watched, tags, settled, by):
    found = asked(some_opting(watched=Watched(watched)), tags, settled)
    assert (found and found.by) == by


def test_key_and_value_are_the_servers():
    opting = some_opting(tag_key="team:stop", tag_value="idle")
    assert asked(opting, {"team:stop": "idle", "team:stop.window": "7m"}, None) == Asked(
        by="tag team:stop=idle", rules=IdleRules(window=minutes(7))
    )


def test_timers_come_from_tags():
    tags = {
        "auto-maintain.grace": "90s",
        "auto-maintain.window": "2h",
        "auto-maintain.notice-after": "never",
        "auto-maintain.stop-after": "4",
        "auto-maintain.delete-after": "1d",
    }
    assert asked(some_opting(), {**TAG, **tags}, None).rules == IdleRules(
        grace=seconds(90),
        window=minutes(120),
        notice_after=None,
        stop_after=4,
        delete_after=minutes(24 * 60),
    )


@pytest.mark.parametrize(
    ("timer", "text"),
    [
        ("grace", "soon"),
        ("grace", "5"),
        ("grace", "never"),
        ("grace", "9999999999d"),
        ("grace", "999999999d"),
        ("window", "10s"),
        ("window", "-5m"),
        ("window", "5M"),
        ("notice-after", "2m"),
        ("stop-after", "0"),
        ("stop-after", "-1"),
        ("stop-after", "1e9"),
        ("stop-after", "³"),
        ("delete-after", ""),
    ],
)
def test_a_timer_that_cannot_be_read_stops_nothing_and_is_told(timer, text):
    found = asked(some_opting(), {**TAG, f"auto-maintain.{timer}": text}, None)
    assert found.rules.stop_after is None
    assert found.rules.delete_after is None
    assert f"auto-maintain.{timer}={text}" in found.unusable
    assert "neither stopped nor removed by a guess" in found.unusable


def test_where_everything_is_watched_a_bad_timer_leaves_the_servers():
    opting = some_opting(watched=Watched.ALL)
    found = asked(opting, {"auto-maintain.window": "soon"}, None)
    assert found.rules.stop_after == 3
    assert "the server's timers count" in found.unusable


def test_terms_come_before_tags_and_bad_tags_do_not_matter_then():
    own = IdleRules(window=minutes(9))
    found = asked(some_opting(), {**TAG, "auto-maintain.window": "soon"}, terms(idle=own))
    assert (found.rules, found.unusable) == (own, "")


def test_nobody_makes_timers_longer_where_everything_is_watched():
    opting = some_opting(watched=Watched.ALL)
    settled = terms(maintain=False, idle=IdleRules(stop_after=None))
    assert asked(opting, {}, settled).rules.stop_after == 3


# -- what is remembered ---------------------------------------------------------------------

WANTED = Asked(by=BY_TAG, rules=IdleRules())
SEEN = an_endpoint(changed_at=NOW)


def follow(before, seen=SEEN, wanted=WANTED, *, at=NOW, leased=True, use=None):
    return followed(at, before, seen, wanted, leased=leased, use=use)


def test_a_watch_begins_when_what_opted_in_is_in_service():
    assert follow(None, an_endpoint(EndpointStatus.CREATING)) is None
    assert follow(None, at=NOW + seconds(3)) == a_watch(since=NOW + seconds(3))


def test_an_endpoint_that_ran_before_is_picked_up_when_the_tag_is_added():
    watch = follow(None, at=NOW + minutes(300))
    assert watch.begins == NOW + minutes(300)


@pytest.mark.parametrize(
    "seen",
    [
        an_endpoint(EndpointStatus.UPDATING, changed_at=NOW + minutes(7)),
        an_endpoint(changed_at=NOW + minutes(8), config_name="other", generation=2),
        an_endpoint(changed_at=NOW + minutes(8), wanted=3),
    ],
)
def test_updates_and_scaling_do_not_restart_the_windows(seen):
    assert follow(a_watch(), seen, at=NOW + minutes(9)) == a_watch()


def test_it_is_dropped_when_the_tag_goes():
    assert follow(a_watch(), wanted=None) is None


def test_another_endpoint_of_the_name_begins_anew():
    seen = an_endpoint(created_at=NOW + minutes(9), changed_at=NOW + minutes(10))
    watch = follow(a_watch(noticed_at=NOW), seen, at=NOW + minutes(10))
    assert watch == a_watch(
        created_at=NOW + minutes(9),
        in_service_at=NOW + minutes(10),
        since=NOW + minutes(10),
    )


def test_other_timers_begin_the_windows_anew():
    wanted = replace(WANTED, rules=IdleRules(window=minutes(1)))
    watch = follow(a_watch(), wanted=wanted, at=NOW + minutes(19))
    assert (watch.since, watch.in_service_at) == (NOW + minutes(19), NOW)
    assert watch.rules == wanted.rules


def test_when_its_lease_goes_or_who_opted_in_changes_nothing_begins_anew():
    wanted = Asked(by="lease settings", rules=IdleRules(delete_after=minutes(60)))
    watch = follow(a_watch(), wanted=wanted, at=NOW + minutes(19))
    assert watch == a_watch(by="lease settings", rules=wanted.rules)


def test_what_was_stopped_is_remembered_while_its_lease_is():
    assert follow(a_watch(), None, leased=True) == a_watch()
    assert follow(a_watch(), None, leased=False) is None
    deleting = an_endpoint(EndpointStatus.DELETING)
    assert follow(a_watch(), deleting, leased=False) == a_watch()


def test_since_when_something_is_not_known_is_remembered():
    watch = follow(a_watch(), use=UNKNOWN, at=NOW + minutes(3))
    assert watch.unknown_since == NOW + minutes(3)
    assert follow(watch, use=UNKNOWN, at=NOW + minutes(4)) == watch
    assert follow(watch, use=use_of(), at=NOW + minutes(5)).unknown_since is None


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (None, a_watch(), "the maintainer watches it, by tag auto-maintain=true"),
        (a_watch(), None, "the maintainer watches it no more"),
        (a_watch(), a_watch(rules=IdleRules(stop_after=9)), "its windows begin anew"),
        (a_watch(), a_watch(by="lease settings"), "goes on watching it, by lease settings"),
        (a_watch(), a_watch(unknown_since=NOW), ""),
    ],
)
def test_changes_say_what_changed(before, after, why):
    found = change("falcon", before, after)
    assert (found.before, found.after) == (before, after)
    assert why in found.reason
    assert bool(found.reason) is bool(why)


def test_no_change_is_none():
    assert change("falcon", a_watch(), a_watch()) is None
