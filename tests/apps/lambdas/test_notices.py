"""Events of the stream on the bus, and notices to people: in order, and none lost."""

from types import SimpleNamespace

import pytest

from parkade.apps.lambdas.notices import Telling
from parkade.domain.errors import Unavailable, Unreadable
from tests.apps.lambdas.calls import a_call
from tests.builders import NOW, an_event


class Stage:
    """Records are events by number; what is not among them is none."""

    def __init__(self):
        self.on_bus = []
        self.told = []
        self.untold = set()
        self.never = set()
        self.deaf = set()
        self.events = {}
        self.function = Telling(self.read, self, SimpleNamespace(tell=self.notify))

    def read(self, image):
        if image == "damaged":
            raise Unreadable("it has no kind")
        return self.events.get(image)

    def tell(self, events):
        taken = [each for each in events if each.number not in self.untold | self.never]
        self.on_bus += [each.number for each in taken]
        return [
            SimpleNamespace(event=each, why="throttled", final=each.number in self.never)
            for each in events
            if each not in taken
        ]

    def notify(self, notice):
        if notice.text in self.deaf:
            raise Unavailable("the topic is away")
        self.told.append(notice)

    def event(self, number, kind="lease.added", **changes):
        self.events[number] = an_event(kind, number=number, **changes)

    def call(self, *images):
        records = [
            {"dynamodb": {"SequenceNumber": f"s{place}", "NewImage": image}}
            for place, image in enumerate(images)
        ]
        return self.function({"Records": records}, a_call())["batchItemFailures"]


@pytest.fixture
def stage():
    found = Stage()
    for number in range(1, 6):
        found.event(number)
    return found


def test_all_events_are_on_the_bus_in_their_order_and_nothing_else_is(stage):
    assert stage.call(1, "a lease", 2, 3) == []
    assert stage.on_bus == [1, 2, 3]


def test_notices_reach_people_with_what_they_are_about(stage):
    data = {"expires_at": "2026-03-01T12:30:00Z", "link": "https://x.test/l", "project": "Demo"}
    stage.event(2, "notice.expiry", reason="it stops soon", owner="ann", data=data)
    assert stage.call(1, 2) == []
    (notice,) = stage.told
    assert (notice.kind, notice.owner, notice.text) == ("expiry", "ann", "it stops soon")
    assert (notice.link, notice.project) == ("https://x.test/l", "Demo")
    assert notice.expires_at > NOW


def test_what_the_bus_does_not_take_comes_again_with_all_that_follow(stage):
    stage.untold = {2}
    assert stage.call(1, 2, 3) == [{"itemIdentifier": "s1"}]
    stage.untold = set()
    stage.call(2, 3)
    assert stage.on_bus == [1, 3, 2]  # what was taken is not sent again


def test_what_the_bus_will_never_take_keeps_nothing_behind_it(stage, caplog):
    stage.never = {2}
    assert stage.call(1, 2, 3) == []
    assert stage.on_bus == [1, 3]
    assert "event 2 is on no bus" in caplog.text


def test_a_notice_that_is_not_taken_comes_again_once_and_those_before_do_not(stage):
    stage.event(1, "notice.idle", reason="first")
    stage.event(2, "notice.idle", reason="second")
    stage.deaf = {"second"}
    assert stage.call(1, 2, 3) == [{"itemIdentifier": "s1"}]
    stage.deaf = set()
    assert stage.call(1, 2, 3) == []
    assert [each.text for each in stage.told] == ["first", "second"]
    assert sorted(stage.on_bus) == [1, 2, 3]


def test_what_cannot_be_read_is_given_back_after_all_before_it_was_told(stage):
    assert stage.call(1, 2, "damaged", 3) == [{"itemIdentifier": "s2"}]
    assert stage.on_bus == [1, 2]


def test_a_bad_record_is_alone_in_its_batch_once_lambda_has_bisected(stage):
    assert stage.call("damaged") == [{"itemIdentifier": "s0"}]
    assert stage.call(3) == []
