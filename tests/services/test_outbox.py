"""The outbox: in order, at least once, each subscriber for itself, and nothing lost silently."""

import threading
from contextlib import contextmanager

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.leases import MemoryLeaseBook
from parkade.domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    LetterNotFound,
    ResourceLimitExceeded,
    SubscriberNotFound,
    Undelivered,
)
from parkade.domain.subscriber import Channel, Patience
from parkade.ports.catalog import Listing
from parkade.ports.events import EventQuery
from tests.builders import NOW, a_subscriber, an_event, minutes, seconds
from tests.house import wait_for
from tests.outgoing import AT_ONCE, outgoing


class Desk:
    """An outbox in memory that delivers, and what its subscribers have taken."""

    def __init__(self, **options):
        self.history = options.pop("history", None) or MemoryHistory()
        self.wall = ManualClock(NOW)
        self.area = outgoing(
            self.history,
            book=MemoryLeaseBook(MemoryHistory()),
            meter=None,
            clock=ManualClock(NOW),
            wall=self.wall,
            **options,
        )

    def happen(self, *kinds, **changes):
        return [self.history.append(an_event(kind, **changes)) for kind in kinds]

    def channel(self, name="ops"):
        return self.area.channel(a_subscriber(name))

    def taken(self, name="ops"):
        return [message.event.kind for message in self.channel(name).taken]

    def wait_taken(self, *kinds, name="ops"):
        wait_for(lambda: self.taken(name) == list(kinds), why=f"{kinds}; {self.taken(name)}")

    def kinds(self):
        return [event.kind for event in self.history.read(EventQuery(limit=1000))]

    def delivery(self, name="ops"):
        return self.area.outbox.deliveries()[name]

    def letters(self, **options):
        return self.area.letters.letters(**options)

    def add(self, *subscribers, **options):
        for each in subscribers or (a_subscriber(),):
            self.area.subscribers.add(each, actor="ann", **options)


@contextmanager
def a_desk(**options):
    desk = Desk(**options)
    desk.area.outbox.start()
    try:
        yield desk
    finally:
        for channel in desk.area.channels.values():
            channel.refuses = lambda _: None
        desk.area.outbox.close(60)


@pytest.fixture
def desk():
    with a_desk() as built:
        yield built


def refusing(error):
    def refuse(_message):
        raise error

    return refuse


def test_a_subscriber_hears_of_what_it_wants_in_order(desk):
    desk.add(a_subscriber(kinds=["lease."]))
    desk.happen("lease.added", "worker.died", "lease.extended")
    desk.wait_taken("lease.added", "lease.extended")
    wait_for(lambda: desk.delivery().waiting == 0)
    assert desk.delivery().progress.delivered_at == NOW


def test_a_new_subscriber_begins_with_what_is_yet_to_come_or_where_it_says(desk):
    happened = desk.happen("lease.added", "lease.extended")
    desk.add(a_subscriber("new", kinds=["lease."]))
    desk.add(a_subscriber("old", kinds=["lease."]), since=happened[0].number)
    desk.wait_taken("lease.extended", name="old")
    desk.happen("lease.ended")
    desk.wait_taken("lease.ended", name="new")
    desk.wait_taken("lease.extended", "lease.ended", name="old")


def test_one_that_hangs_holds_up_nobody_else(desk):
    held, entered = threading.Event(), threading.Event()

    def hang(_message):
        entered.set()
        assert held.wait(60)

    desk.channel("slow").refuses = hang
    desk.add(a_subscriber("slow", kinds=["lease."]), a_subscriber("quick", kinds=["lease."]))
    desk.happen("lease.added", "lease.extended")
    desk.wait_taken("lease.added", "lease.extended", name="quick")
    assert entered.wait(60)
    assert desk.taken("slow") == []
    held.set()
    desk.wait_taken("lease.added", "lease.extended", name="slow")


def test_what_is_refused_for_now_is_tried_again_before_anything_later(desk):
    answers = [Undelivered("500"), Undelivered("503")]

    def stumble(_message):
        if answers:
            raise answers.pop(0)

    desk.channel().refuses = stumble
    desk.add(a_subscriber(kinds=["lease."]))
    desk.happen("lease.added", "lease.extended")
    desk.wait_taken("lease.added", "lease.extended")
    assert not desk.letters()
    progress = desk.delivery().progress
    assert (progress.attempts, progress.failing_since, progress.cause) == (0, None, "")


def test_after_so_many_attempts_an_event_is_a_letter_and_the_next_has_its_turn(desk):
    def refuse(message):
        if message.event.kind == "lease.added":
            raise Undelivered("the receiver answered 500")

    desk.channel().refuses = refuse
    desk.add(a_subscriber(kinds=["lease."]))
    (added, _) = desk.happen("lease.added", "lease.extended")
    desk.wait_taken("lease.extended")
    (letter,) = desk.letters()
    assert (letter.subscriber, letter.event_number) == ("ops", added.number)
    assert (letter.event_kind, letter.endpoint_name) == ("lease.added", "falcon")
    assert (letter.attempts, letter.cause) == (AT_ONCE.attempts, "the receiver answered 500")
    assert letter.buried_at == NOW


def test_what_is_refused_for_good_is_a_letter_at_once(desk):
    desk.channel().refuses = refusing(Undelivered("410", final=True))
    desk.add(a_subscriber(kinds=["lease."]))
    desk.happen("lease.added")
    wait_for(desk.letters)
    assert desk.letters()[0].attempts == 1


def test_that_delivery_fails_is_told_once_and_once_that_it_works_again(desk):
    channel = desk.channel()
    channel.refuses = refusing(Undelivered("410", final=True))
    desk.add(a_subscriber())
    desk.happen("lease.added", "lease.extended", "lease.ended")
    # The event that it was added is one that it would have heard of, had it been there.
    wait_for(lambda: len(desk.letters()) == 3)
    assert desk.delivery().progress.told
    assert desk.kinds().count("subscriber.failing") == 1
    channel.refuses = lambda _: None
    desk.wall.advance(minutes(5))
    desk.happen("lease.started")
    wait_for(lambda: "subscriber.recovered" in desk.kinds())
    desk.wait_taken("lease.started")
    assert not desk.delivery().progress.told
    recovered = desk.history.latest(EventQuery(kinds=("subscriber.recovered",)))[-1]
    assert "5 min" in recovered.reason


def test_two_that_fail_do_not_tell_each_other_for_ever(desk):
    for name in ("a", "b"):
        desk.channel(name).refuses = refusing(Undelivered("410", final=True))
        desk.add(a_subscriber(name))
    desk.happen("lease.added")
    wait_for(lambda: desk.kinds().count("subscriber.failing") == 2)
    wait_for(lambda: all(desk.delivery(name).waiting == 0 for name in "ab"))
    letters = len(desk.letters())
    desk.happen("lease.extended")
    wait_for(lambda: len(desk.letters()) == letters + 2)
    assert desk.kinds().count("subscriber.failing") == 2


def test_a_receiver_is_left_alone_for_as_long_as_it_asks():
    patience = Patience(attempts=3, first=seconds(0), longest=seconds(0))
    with a_desk(patience=patience) as desk:
        answers = [Undelivered("429", retry_after=minutes(10))]
        tried = threading.Event()

        def busy(_message):
            if answers:
                tried.set()
                raise answers.pop(0)

        desk.channel().refuses = busy
        desk.add(a_subscriber(kinds=["lease."]))
        desk.happen("lease.added")
        assert tried.wait(60)
        wait_for(lambda: desk.delivery().progress.attempts == 1)
        desk.happen("lease.extended")
        assert desk.taken() == []
        # What is changed about it is a reason to try at once.
        desk.area.subscribers.disable("ops", actor="ann")
        desk.area.subscribers.enable("ops", actor="ann")
        desk.wait_taken("lease.added", "lease.extended")


def test_what_is_not_wanted_any_more_is_not_tried_again():
    patience = Patience(attempts=3, first=minutes(10), longest=minutes(10))
    with a_desk(fixed=[a_subscriber(kinds=["lease."])], patience=patience) as desk:
        desk.channel().refuses = refusing(Undelivered("500"))
        desk.happen("lease.added")
        wait_for(lambda: desk.delivery().progress.attempts == 1)
        desk.channel().refuses = lambda _: None
        desk.area.file.fixed = [a_subscriber(kinds=["worker."])]
        desk.area.outbox.settle()
        desk.happen("worker.died")
        desk.wait_taken("worker.died")
        assert not desk.letters()


def test_a_subscriber_that_cannot_be_read_keeps_its_place(desk):
    desk.add(a_subscriber(kinds=["lease."]))
    before = desk.area.letters.progress()
    store = desk.area.store
    readable = store.all
    store.all = lambda: Listing((), {"ops": "it is torn"})
    desk.area.outbox.settle()
    assert desk.area.letters.progress() == before
    assert desk.area.subscribers.unreadable() == {"ops": "it is torn"}
    store.all = readable
    desk.area.outbox.settle()
    desk.happen("lease.added")
    desk.wait_taken("lease.added")


def test_a_bug_of_a_channel_is_a_failed_attempt(desk, caplog):
    desk.channel().refuses = refusing(ZeroDivisionError("oh"))
    desk.add(a_subscriber(kinds=["lease."]))
    desk.happen("lease.added")
    wait_for(desk.letters)
    assert "ZeroDivisionError: oh" in desk.letters()[0].cause
    assert "Traceback" in caplog.text


def test_what_happens_while_it_is_disabled_is_delivered_afterwards(desk):
    desk.add(a_subscriber(kinds=["lease."]))
    desk.area.subscribers.disable("ops", actor="ann")
    desk.happen("lease.added")
    assert desk.taken() == []
    desk.area.subscribers.enable("ops", actor="ann")
    desk.wait_taken("lease.added")
    assert desk.kinds()[-2:] == ["lease.added", "subscriber.enabled"]


def while_it_looks(desk, act):
    """Have it done once a carrier has asked for events, before it is told of them."""
    read = desk.history.read

    def look(query):
        desk.history.read = read
        act()
        return read(query)

    desk.history.read = look


def test_what_is_found_while_it_is_disabled_is_delivered_afterwards(desk):
    at = []
    desk.channel().refuses = lambda _: at.append(desk.area.subscribers.get("ops").enabled)
    desk.add(a_subscriber(kinds=["lease."]))
    disabled = threading.Event()

    def disable():
        desk.area.subscribers.disable("ops", actor="ann")
        disabled.set()

    while_it_looks(desk, disable)
    desk.happen("lease.added")
    assert disabled.wait(60)
    desk.happen("lease.extended")
    desk.area.subscribers.enable("ops", actor="ann")
    desk.wait_taken("lease.added", "lease.extended")
    assert at == [True, True]


def test_what_is_found_while_another_form_comes_is_delivered_to_that_form_alone():
    with a_desk(fixed=[a_subscriber(kinds=["lease."])]) as desk:
        delivered = []
        desk.channel().refuses = lambda message: delivered.append(message.event.kind)

        def change():
            desk.area.file.fixed = [a_subscriber(kinds=["worker."])]
            desk.area.outbox.settle()
            desk.happen("worker.died")

        while_it_looks(desk, change)
        desk.happen("lease.added")
        desk.wait_taken("worker.died")
        assert delivered == ["worker.died"]


def test_an_outbox_that_comes_back_goes_on_where_it_was():
    desk = Desk()
    desk.area.outbox.start()
    desk.add(a_subscriber(kinds=["lease."]))
    desk.happen("lease.added")
    desk.wait_taken("lease.added")
    wait_for(lambda: desk.area.letters.progress()["ops"].delivered_at is not None)
    desk.area.outbox.close(60)
    desk.happen("lease.extended")
    assert desk.taken() == ["lease.added"]
    desk.area.outbox.start()
    desk.wait_taken("lease.added", "lease.extended")
    desk.area.outbox.close(60)


def test_what_was_taken_and_not_noted_is_delivered_again():
    desk = Desk()
    desk.area.outbox.start()
    desk.add(a_subscriber(kinds=["lease."]))
    noted = desk.area.letters.progress()["ops"]
    desk.happen("lease.added")
    desk.wait_taken("lease.added")
    desk.area.outbox.close(60)
    desk.area.letters.note(noted)  # as if it had been killed just before
    desk.area.outbox.start()
    desk.wait_taken("lease.added", "lease.added")
    assert len({message.id for message in desk.channel().taken}) == 1
    desk.area.outbox.close(60)


def test_attempts_count_on_after_a_restart():
    patience = Patience(attempts=3, first=minutes(10), longest=minutes(10))
    desk = Desk(patience=patience)
    desk.channel().refuses = refusing(Undelivered("500"))
    desk.area.outbox.start()
    desk.add(a_subscriber(kinds=["lease."]))
    desk.happen("lease.added")
    for attempts in (1, 2):
        wait_for(lambda n=attempts: desk.area.letters.progress()["ops"].attempts == n)
        desk.area.outbox.close(60)
        desk.area.outbox.start()
    wait_for(desk.letters)
    assert desk.letters()[0].attempts == 3
    desk.area.outbox.close(60)


def test_a_full_disk_makes_nobody_hear_the_same_over_and_over(desk):
    desk.add(a_subscriber(kinds=["lease."]))
    store, note = desk.area.letters, desk.area.letters.note

    def full(_progress):
        raise ResourceLimitExceeded("the disk is full")

    store.note = full
    desk.happen("lease.added", "lease.extended")
    desk.wait_taken("lease.added", "lease.extended")
    store.note = note
    desk.happen("lease.ended")
    desk.wait_taken("lease.added", "lease.extended", "lease.ended")
    wait_for(lambda: store.progress()["ops"].delivered_at is not None)


def test_a_letter_that_cannot_be_kept_holds_its_subscriber_and_is_not_lost(desk):
    desk.channel().refuses = refusing(Undelivered("410", final=True))
    store, bury = desk.area.letters, desk.area.letters.bury
    asked = threading.Event()

    def full(*_arguments):
        asked.set()
        raise ResourceLimitExceeded("the disk is full")

    store.bury = full
    desk.add(a_subscriber(kinds=["lease."]))
    (event,) = desk.happen("lease.added")
    assert asked.wait(60)
    assert desk.delivery().progress.number < event.number
    store.bury = bury
    wait_for(desk.letters)


def test_a_letter_is_resent_out_of_order_and_gone_once_it_is_taken(desk):
    channel = desk.channel()
    channel.refuses = refusing(Undelivered("410", final=True))
    desk.add(a_subscriber(kinds=["lease."]))
    desk.happen("lease.added")
    wait_for(desk.letters)
    (letter,) = desk.letters()
    with pytest.raises(Undelivered):
        desk.area.outbox.resend(letter.id, "ann")
    assert desk.letters() == [letter]
    channel.refuses = lambda _: None
    desk.area.outbox.resend(letter.id, "ann")
    assert desk.taken() == ["lease.added"]
    assert desk.letters() == []
    assert desk.kinds()[-1] == "letter.resent"
    with pytest.raises(LetterNotFound):
        desk.area.outbox.resend(letter.id, "ann")


def test_a_letter_is_dropped_with_a_word_in_the_history(desk):
    desk.channel().refuses = refusing(Undelivered("410", final=True))
    desk.add(a_subscriber(kinds=["lease."]))
    desk.happen("lease.added")
    wait_for(desk.letters)
    desk.area.outbox.drop(desk.letters()[0].id, "ann")
    assert desk.letters() == []
    event = desk.history.latest(EventQuery(limit=1))[-1]
    assert (event.kind, event.actor) == ("letter.dropped", "ann")


def test_a_test_is_delivered_now_and_is_in_no_history(desk):
    subscriber = a_subscriber(kinds=["lease."])
    desk.add(subscriber)
    before = desk.kinds()
    desk.area.outbox.test(subscriber, "ann")
    assert desk.taken() == ["subscriber.tested"]
    assert desk.kinds() == before


def test_removing_forgets_progress_and_letters_and_says_how_many(desk):
    desk.channel().refuses = refusing(Undelivered("410", final=True))
    desk.add(a_subscriber(kinds=["lease."]))
    desk.happen("lease.added")
    wait_for(desk.letters)
    assert desk.area.subscribers.remove("ops", actor="ann") == 1
    assert desk.letters() == []
    assert desk.area.letters.progress() == {}
    assert "with 1 letters" in desk.history.latest(EventQuery(limit=1))[-1].reason
    desk.happen("lease.extended")
    assert desk.taken() == []


def test_what_the_settings_file_has_is_changed_there_alone():
    with a_desk(fixed=[a_subscriber("ops", kinds=["lease."])]) as desk:
        desk.happen("lease.added")
        desk.wait_taken("lease.added")
        subscribers = desk.area.subscribers
        for refused in (subscribers.remove, subscribers.enable, subscribers.disable):
            with pytest.raises(Conflict):
                refused("ops", actor="ann")
        with pytest.raises(AlreadyExists):
            desk.add(a_subscriber("ops"))
        assert subscribers.is_fixed("ops")
        # Gone from the file, it is forgotten; back in it, it begins with what is new.
        desk.area.file.fixed = []
        desk.area.outbox.settle()
        desk.happen("lease.extended")
        desk.area.file.fixed = [a_subscriber("ops", kinds=["lease."])]
        desk.area.outbox.settle()
        desk.happen("lease.ended")
        desk.wait_taken("lease.added", "lease.ended")


def test_programs_are_named_in_the_settings_file_alone(desk):
    with pytest.raises(InvalidInput, match="cannot be added at run time"):
        desk.add(a_subscriber(channel=Channel.COMMAND, url="", command=("/bin/true",)))


def test_a_webhook_without_a_secret_is_given_one(desk):
    added = desk.area.subscribers.add(a_subscriber(), actor="ann")
    assert added.secret.startswith("whsec_")
    assert added.made_at == NOW
    assert desk.area.subscribers.get("ops") == added


def test_nobody_of_that_name(desk):
    for ask in (desk.area.subscribers.remove, desk.area.subscribers.enable):
        with pytest.raises(SubscriberNotFound):
            ask("nobody", actor="ann")


def test_hundreds_of_events_reach_many_subscribers_in_order(desk):
    names = [f"s{number}" for number in range(8)]
    desk.add(*(a_subscriber(name, kinds=["lease."]) for name in names))
    happened = desk.happen(*["lease.extended"] * 300)
    for name in names:
        wait_for(lambda n=name: len(desk.channel(n).taken) == 300)
        numbers = [message.event.number for message in desk.channel(name).taken]
        assert numbers == [event.number for event in happened]
