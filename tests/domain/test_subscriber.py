"""Subscribers: whom which events concern, and what cannot be one."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.alarm import State
from parkade.domain.alarmshapes import detail
from parkade.domain.errors import InvalidInput
from parkade.domain.subscriber import Channel, Filter, Progress, Shape, recipients, signing_key
from tests.builders import NOW, a_subscriber, an_alarm, an_event, minutes

words = st.text(string.ascii_lowercase, min_size=1, max_size=4)
kinds = st.builds("{}.{}".format, words, words)
names = st.text(string.ascii_lowercase + "-", min_size=1, max_size=5)


@given(kinds, names, words)
def test_an_empty_filter_lets_everything_pass(kind, name, owner):
    assert Filter().passes(an_event(kind, endpoint_name=name, owner=owner))


@given(kinds, st.lists(kinds, min_size=1, max_size=3))
def test_kinds_pass_exactly_or_by_their_noun(kind, wanted):
    noun = kind.partition(".")[0] + "."
    event = an_event(kind)
    assert Filter(kinds=tuple(wanted)).passes(event) is (kind in wanted)
    assert Filter(kinds=(noun,)).passes(event)
    assert not Filter(kinds=(noun[:-1],)).passes(event)
    nouns = tuple(each.partition(".")[0] + "." for each in wanted)
    assert Filter(kinds=nouns).passes(event) is (noun in nouns)


@given(names, names, names)
def test_endpoints_pass_by_wildcards(before, middle, after):
    event = an_event(endpoint_name=before + middle + after)
    assert Filter(endpoints=(f"{before}*{after}",)).passes(event)
    assert Filter(endpoints=(before + "?" * len(middle) + after,)).passes(event)
    assert not Filter(endpoints=(before + middle + after + "?",)).passes(event)


@given(st.sampled_from(["", "ann", "eve"]), st.lists(st.sampled_from(["ann", "eve"]), max_size=2))
def test_owners_pass_by_their_names_alone(owner, wanted):
    passes = Filter(owners=tuple(wanted)).passes(an_event(owner=owner))
    assert passes is (not wanted or owner in wanted)


def an_alarms(name, endpoint=""):
    return an_event("alarm.changed", endpoint_name=endpoint, data={"name": name})


#: What alarms may be called: fnmatch's own signs are letters like others.
alarm_names = st.text("ab-[]! ", min_size=1, max_size=5)


@given(alarm_names, alarm_names, alarm_names)
def test_alarms_pass_by_wildcards(before, middle, after):
    event = an_alarms(before + middle + after)
    assert Filter(alarms=(f"{before}*{after}",)).passes(event)
    assert Filter(alarms=(before + middle + after,)).passes(event)
    assert not Filter(alarms=(before + middle + after + "?",)).passes(event)


def test_where_alarms_are_named_all_else_passes_by_its_endpoint():
    ours = Filter(alarms=("ours-*",), endpoints=("text",))
    assert ours.passes(an_alarms("ours-errors"))
    assert ours.passes(an_event("notice.expiry", endpoint_name="text"))
    assert not ours.passes(an_event("notice.expiry", endpoint_name="other"))
    assert not ours.passes(an_alarms("TargetTracking-1", endpoint="text"))
    alone = Filter(alarms=("ours-*",))
    assert alone.passes(an_alarms("ours-errors", endpoint="text"))
    assert not alone.passes(an_event("notice.expiry", endpoint_name="text"))
    assert not alone.passes(an_event("token.created"))


def test_where_none_is_named_alarms_pass_by_their_endpoint():
    text = Filter(endpoints=("text",))
    assert text.passes(an_alarms("any", endpoint="text"))
    assert not text.passes(an_alarms("any"))


def of_project(project, kind="notice.project", endpoint=""):
    return an_event(kind, endpoint_name=endpoint, data={"project": project})


def test_where_projects_are_named_all_else_passes_by_its_alarm_or_its_endpoint():
    ours = Filter(projects=("Shop*",), endpoints=("text",))
    assert ours.passes(of_project("ShopDemo"))
    assert ours.passes(of_project("ShopDemo", "project.step", endpoint="image"))
    assert not ours.passes(of_project("Other"))
    assert not ours.passes(of_project("Other", "project.step", endpoint="text"))
    assert ours.passes(an_event("notice.expiry", endpoint_name="text"))
    assert not ours.passes(an_event("notice.expiry", endpoint_name="other"))
    assert not ours.passes(an_alarms("any", endpoint="text"))
    alone = Filter(projects=("ShopDemo",))
    assert alone.passes(of_project("ShopDemo"))
    assert not alone.passes(an_event("notice.expiry", endpoint_name="text"))
    assert not alone.passes(an_event("token.created", endpoint_name=""))


def test_where_none_is_named_projects_pass_by_their_endpoint():
    for heard in (Filter(endpoints=("text",)), Filter(endpoints=("text",), alarms=("a",))):
        assert heard.passes(of_project("Any", "project.step", endpoint="text"))
        assert not heard.passes(of_project("Any"))


@given(st.sampled_from(State), st.sampled_from(State), st.sets(st.sampled_from(State)))
def test_a_change_of_an_alarm_passes_by_the_states_it_leads_between(before, after, wanted):
    alarm = a_changed_alarm(before, after)
    assert Filter(alarm_states=tuple(wanted)).passes(alarm) is (
        not wanted or not wanted.isdisjoint({before, after})
    )


def a_changed_alarm(before, after):
    """The event of a change, as it is recorded."""
    former = an_alarm().saying(before, "why", "", NOW)
    changed = former.saying(after, "why", "", NOW)
    return an_event("alarm.changed", data={"alarm": detail(changed, former.standing)})


def test_what_happens_to_alarms_and_changes_no_state_passes_whatever_states_are_wanted():
    heard = Filter(alarm_states=(State.ALARM,))
    assert heard.passes(an_event("alarm.put", data={"name": "errors"}))
    assert heard.passes(an_event("lease.added"))


@pytest.mark.parametrize("pattern", ["", "a" * 256, "a\nb"])
def test_what_fits_no_alarm_is_refused(pattern):
    with pytest.raises(InvalidInput, match="fits no alarm"):
        Filter(alarms=(pattern,))


@given(kinds, names, words, st.booleans(), st.booleans(), st.booleans())
def test_an_event_passes_where_every_part_of_the_filter_lets_it(kind, name, owner, k, e, o):
    """Each part is right or wrong, whatever the others are."""
    whole = Filter(
        kinds=(kind,) if k else ("other.kind",),
        endpoints=(name,) if e else ("OTHER",),
        owners=(owner,) if o else ("other-owner",),
    )
    assert whole.passes(an_event(kind, endpoint_name=name, owner=owner)) is (k and e and o)


@pytest.mark.parametrize("kind", ["subscriber.failing", "letter.dropped"])
def test_nobody_is_told_of_its_own_delivery(kind):
    event = an_event(kind, data={"name": "ops"})
    assert not a_subscriber("ops").hears(event)
    assert a_subscriber("eve").hears(event)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("url", {"url": ""}),
        ("url", {"url": "ftp://host/"}),
        ("url", {"url": "http://"}),
        ("url", {"url": "http://host:99999/"}),
        ("url", {"url": "http://host/a b"}),
        ("to", {"to": ("ann@example.com",)}),
        ("command", {"command": ("/bin/true",)}),
        ("secret", {"secret": "hush"}),
        ("secret", {"secret": "whsec_"}),
        ("secret", {"secret": "whsec_AAAA"}),
        ("secret", {"secret": "whsec_###"}),
        ("secret", {"channel": Channel.SLACK, "secret": "whsec_" + "A" * 32}),
        ("shape", {"channel": Channel.SLACK, "shape": Shape.EVENTBRIDGE}),
        ("to", {"channel": Channel.EMAIL, "url": "", "to": ("ann",)}),
        ("to", {"channel": Channel.EMAIL, "url": "", "to": ("a@b\nBcc: eve@c",)}),
        ("to", {"channel": Channel.EMAIL, "url": "", "to": ("a@b,c@d",)}),
        ("command", {"channel": Channel.COMMAND, "url": ""}),
        ("command", {"channel": Channel.COMMAND, "url": "", "command": ("/bin/\0",)}),
        ("name", {"name": "a b"}),
        ("kinds", {"kinds": ["Lease"]}),
        ("kinds", {"kinds": ["*"]}),
        ("kinds", {"kinds": [""]}),
        ("endpoints", {"endpoints": ["a b"]}),
        ("endpoints", {"endpoints": ["[a]"]}),
        ("projects", {"projects": ["a b"]}),
        ("owners", {"owners": ["a b"]}),
    ],
)
def test_what_cannot_be_a_subscriber_is_refused_by_its_field(field, changes):
    with pytest.raises(InvalidInput) as caught:
        a_subscriber(**changes)
    assert caught.value.field == field
    assert "hush" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.example.com/T/secret?k=hush", "https://hooks.example.com/..."),
        ("http://user:hush@127.0.0.1:99/", "http://127.0.0.1:99"),
    ],
)
def test_of_a_url_no_more_than_its_host_is_shown(url, shown):
    assert a_subscriber(url=url).address == shown


def test_the_owners_address_is_taken_where_it_is_one():
    assert recipients(("owner", "ops@x.org"), "ann@x.org") == ("ann@x.org", "ops@x.org")
    assert recipients(("owner", "ann@x.org"), "ann@x.org") == ("ann@x.org",)
    assert recipients(("owner",), "team-a") == ()


def test_a_secret_holds_its_key_in_base_64():
    assert signing_key("whsec_" + "QUJD" * 6) == b"ABC" * 6


def test_failure_counts_until_something_is_delivered():
    begun = Progress(subscriber="ops", number=3)
    failed = begun.failed("500", NOW).failed("503", NOW + minutes(1))
    assert (failed.attempts, failed.failing_since, failed.cause) == (2, NOW, "503")
    assert failed.number == 3
    delivered = failed.delivered(4, NOW + minutes(2))
    assert delivered == Progress(subscriber="ops", number=4, delivered_at=NOW + minutes(2))
