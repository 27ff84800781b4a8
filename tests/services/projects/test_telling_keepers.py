"""The keepers of alarms, subscribers and budgets: made once, changed in place, removed whole."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from parkade.adapters.memory.alarms import MemoryAlarmStore
from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.leases import MemoryLeaseBook
from parkade.adapters.memory.purses import MemoryPurses
from parkade.domain.alarm import Comparison, State
from parkade.domain.errors import AlreadyExists, InvalidInput, Unreadable
from parkade.domain.project import audience
from parkade.domain.project.part import Kind, Part
from parkade.domain.project.project import PROJECT_TAG, Project
from parkade.domain.project.thresholds import Thresholds
from parkade.domain.project.watches import Watch
from parkade.ports.events import EventQuery
from parkade.services.alarms import Alarms
from parkade.services.projects.alarms import AlarmKeeper
from parkade.services.projects.budgets import BudgetKeeper
from parkade.services.projects.keeper import Errand, Stage
from parkade.services.projects.subscribers import SubscriberKeeper
from tests.builders import NOW, a_subscriber, an_alarm
from tests.money import a_budget, a_money
from tests.outgoing import outgoing

PROJECT = Project(name="Shop", stage="Demo")
ERRAND = Errand(id="1-1", project="ShopDemo", actor="ann")
SECRET = "whsec_" + "A" * 32
HOOK = "https://hooks.example.com/T/B/very-secret"


class World:
    """The three keepers over services in memory."""

    def __init__(self):
        self.clock = ManualClock(NOW)
        self.history = MemoryHistory()
        purses = MemoryPurses()
        book = MemoryLeaseBook(self.history, purses)
        self.alarm_store = MemoryAlarmStore(self.history)
        self.book = Alarms(self.alarm_store, clock=self.clock)
        self.troubles = {}
        self.outgoing = outgoing(
            self.history, book=book, meter=None, clock=self.clock, wall=self.clock
        )
        self.money = a_money(book=book, history=self.history, clock=self.clock, purses=purses)
        self.mail = True
        self.alarms = AlarmKeeper(
            self.book, clock=self.clock, trouble=lambda name: self.troubles.get(name, "")
        )
        self.subscribers = SubscriberKeeper(self.outgoing.subscribers, mail=lambda: self.mail)
        self.budgets = BudgetKeeper(self.money.budgets)

    def kinds(self):
        return [each.kind for each in self.history.read(EventQuery(limit=1000))]


@pytest.fixture
def world():
    return World()


ALARM = Part(
    kind=Kind.ALARM,
    name="ShopDemo-overall-calls",
    key="overall-calls",
    content={
        **Thresholds().contents("ShopDemo")["overall-calls"],
        "Tags": [{"Key": PROJECT_TAG, "Value": "ShopDemo"}],
    },
)
MAIL = Part(
    kind=Kind.SUBSCRIBER,
    name="ShopDemo-ann",
    key="ann",
    content={
        "kind": "email",
        "to": ["ann@example.com"],
        **audience.interest("ShopDemo", alarms=["ShopDemo-overall-calls"], endpoints=[]),
    },
)
WEBHOOK = Part(
    kind=Kind.SUBSCRIBER,
    name="ShopDemo-hook",
    key="hook",
    content={"kind": "webhook", "url": HOOK, "secret": SECRET, "endpoints": ["ShopDemo-text"]},
)
BUDGET = Part(kind=Kind.BUDGET, name="ann", key="ann", content={"usd": "50.00", "per": "week"})


def keeper_of(world, part):
    return {
        Kind.ALARM: world.alarms,
        Kind.SUBSCRIBER: world.subscribers,
        Kind.BUDGET: world.budgets,
    }[part.kind]


def changed(part):
    """The same part, asking for something else."""
    other = {
        Kind.ALARM: {"Threshold": 7.0},
        Kind.SUBSCRIBER: {"kinds": ["notice."]},
        Kind.BUDGET: {"usd": "7"},
    }[part.kind]
    return Part(kind=part.kind, name=part.name, key=part.key, content={**part.content, **other})


EVERY = pytest.mark.parametrize("part", [ALARM, MAIL, WEBHOOK, BUDGET], ids=lambda part: part.name)


# -- what holds of each ----------------------------------------------------------------------


@EVERY
def test_what_is_put_is_found_as_was_foretold(world, part):
    keeper = keeper_of(world, part)
    keeper.check(part, PROJECT)
    assert keeper.found(part.name) is None
    foretold = keeper.settled(part, None)
    keeper.put(part, ERRAND)
    found = keeper.found(part.name)
    assert found == foretold == keeper.settled(part, found)
    assert keeper.progress(part, ERRAND).stage is Stage.DONE
    assert not keeper.condition(part).troubled
    json.dumps(found)


@EVERY
def test_put_again_does_nothing(world, part):
    keeper = keeper_of(world, part)
    keeper.put(part, ERRAND)
    before = world.kinds()
    keeper.put(part, ERRAND)
    assert world.kinds() == before


@EVERY
def test_a_change_is_made_in_place(world, part):
    keeper = keeper_of(world, part)
    keeper.put(part, ERRAND)
    other = changed(part)
    foretold = keeper.settled(other, keeper.found(part.name))
    assert foretold != keeper.found(part.name)
    keeper.put(other, ERRAND)
    assert keeper.found(part.name) == foretold


@EVERY
def test_removed_it_is_gone_and_may_be_removed_again(world, part):
    keeper = keeper_of(world, part)
    keeper.put(part, ERRAND)
    for _ in range(2):
        keeper.remove(part.name, ERRAND)
        assert keeper.found(part.name) is None
    condition = keeper.condition(part)
    assert (condition.state, condition.troubled) == ("missing", True)


@EVERY
def test_what_can_never_be_is_refused(world, part):
    wrong = Part(kind=part.kind, name=part.name, key=part.key, content={"colour": "red"})
    with pytest.raises(InvalidInput, match="colour"):
        keeper_of(world, part).check(wrong, PROJECT)


# -- alarms ----------------------------------------------------------------------------------


def test_an_alarm_carries_the_projects_tag(world):
    world.alarms.put(ALARM, ERRAND)
    assert world.book.get(ALARM.name).tags == {PROJECT_TAG: "ShopDemo"}


def test_an_alarm_that_was_there_is_taken_over_with_its_state_and_tags(world):
    world.book.put(an_alarm(ALARM.name, tags={"team": "nlp"}), "eve")
    world.book.set_state(ALARM.name, State.ALARM, "why", "", "eve")
    world.alarms.put(ALARM, ERRAND)
    alarm = world.book.get(ALARM.name)
    assert alarm.tags == {"team": "nlp", PROJECT_TAG: "ShopDemo"}
    assert alarm.standing.state is State.ALARM
    found = world.alarms.found(ALARM.name)
    assert world.alarms.settled(ALARM, found) == found
    condition = world.alarms.condition(ALARM)
    assert (condition.state, condition.text, condition.troubled) == ("ALARM", "why", True)


def test_what_people_switched_stays_and_is_no_difference(world):
    world.alarms.put(ALARM, ERRAND)
    world.book.enable_actions([ALARM.name], "eve", enabled=False)
    found = world.alarms.found(ALARM.name)
    assert found["ActionsEnabled"] is False
    assert world.alarms.settled(ALARM, found) == found
    world.alarms.put(changed(ALARM), ERRAND)
    assert world.book.get(ALARM.name).actions_enabled is False


def test_a_topic_that_the_file_names_no_more_is_told_no_more(world):
    topic = "arn:aws:sns:us-east-1:000000000000:alarms"

    def part(*topics):
        watch = Watch(
            metric="ModelLatency", comparison=Comparison.ABOVE, threshold=5, topics=topics
        )
        content = watch.of_endpoint("ShopDemo-text", ["a"])
        return Part(kind=Kind.ALARM, name="ShopDemo-slow", key="slow", content=content)

    world.alarms.put(part(topic), ERRAND)
    assert world.book.get("ShopDemo-slow").alarm_actions == (topic,)
    world.alarms.put(part(), ERRAND)
    assert world.book.get("ShopDemo-slow").alarm_actions == ()


def test_an_alarm_that_cannot_be_evaluated_says_so(world):
    world.alarms.put(ALARM, ERRAND)
    world.troubles[ALARM.name] = "too many points"
    assert world.alarms.condition(ALARM).text == "too many points"


@pytest.mark.parametrize("name", ["parkade-idle/text", "TargetTracking-text"])
def test_names_of_parkades_own_alarms_are_refused(world, name):
    part = Part(kind=Kind.ALARM, name=name, key="x", content=ALARM.content)
    with pytest.raises(InvalidInput, match="Parkade's own"):
        world.alarms.check(part, PROJECT)


# -- subscribers -----------------------------------------------------------------------------


def test_no_secret_is_ever_told(world):
    world.subscribers.put(WEBHOOK, ERRAND)
    told = [
        world.subscribers.found(WEBHOOK.name),
        world.subscribers.settled(WEBHOOK, None),
        world.subscribers.condition(WEBHOOK).text,
        [each.data for each in world.history.read(EventQuery(limit=1000))],
    ]
    assert "very-secret" not in str(told)
    assert SECRET not in str(told)
    assert "hooks.example.com" in str(told)


@pytest.mark.parametrize(
    "other", [{"secret": "whsec_" + "B" * 32}, {"url": HOOK + "r"}], ids=["secret", "url"]
)
def test_another_secret_is_a_difference(world, other):
    world.subscribers.put(WEBHOOK, ERRAND)
    part = Part(
        kind=WEBHOOK.kind,
        name=WEBHOOK.name,
        key=WEBHOOK.key,
        content={**WEBHOOK.content, **other},
    )
    found = world.subscribers.found(WEBHOOK.name)
    assert world.subscribers.settled(part, found) != found
    world.subscribers.put(part, ERRAND)
    stored = world.outgoing.subscribers.get(WEBHOOK.name)
    assert {"secret": stored.secret, "url": stored.url} == {
        "secret": SECRET,
        "url": HOOK,
    } | other


def test_a_webhook_without_a_secret_is_not_signed(world):
    content = {key: each for key, each in WEBHOOK.content.items() if key != "secret"}
    part = Part(kind=Kind.SUBSCRIBER, name="ShopDemo-hook", key="hook", content=content)
    world.subscribers.put(part, ERRAND)
    assert world.outgoing.subscribers.get("ShopDemo-hook").secret == ""


def test_disabled_by_people_it_stays_so(world):
    world.subscribers.put(MAIL, ERRAND)
    world.outgoing.subscribers.disable(MAIL.name, actor="eve")
    found = world.subscribers.found(MAIL.name)
    assert world.subscribers.settled(MAIL, found) == found
    world.subscribers.put(changed(MAIL), ERRAND)
    assert world.outgoing.subscribers.get(MAIL.name).enabled is False
    assert world.subscribers.condition(MAIL).state == "disabled"


def test_without_a_mail_server_it_is_made_and_says_what_to_do(world):
    world.mail = False
    world.subscribers.check(MAIL, PROJECT)
    world.subscribers.put(MAIL, ERRAND)
    assert "add mail to server.yaml" in world.subscribers.progress(MAIL, ERRAND).text
    condition = world.subscribers.condition(MAIL)
    assert condition.troubled
    assert "add mail to server.yaml" in condition.text
    world.subscribers.put(WEBHOOK, ERRAND)
    assert not world.subscribers.condition(WEBHOOK).troubled


def test_a_state_that_no_alarm_has_is_refused(world):
    part = replace(MAIL, content={**MAIL.content, "alarm_states": ["LOUD"]})
    with pytest.raises(InvalidInput, match="LOUD") as caught:
        world.subscribers.check(part, PROJECT)
    assert caught.value.field == "alarm_states"


def test_a_name_of_server_yaml_is_refused(world):
    world.outgoing.file.fixed = [a_subscriber(MAIL.name)]
    with pytest.raises(AlreadyExists, match=r"server\.yaml"):
        world.subscribers.check(MAIL, PROJECT)


def test_programs_are_named_in_server_yaml_alone(world):
    part = Part(kind=Kind.SUBSCRIBER, name="x", key="x", content={"kind": "command"})
    with pytest.raises(InvalidInput, match="runs a program"):
        world.subscribers.check(part, PROJECT)


# -- budgets ---------------------------------------------------------------------------------


def test_how_an_amount_is_written_is_no_difference(world):
    world.money.budgets.put(a_budget("50"), actor="eve")
    found = world.budgets.found("ann")
    assert found == world.budgets.settled(BUDGET, found)


def test_a_used_up_budget_is_troubled(world):
    world.budgets.put(Part(kind=Kind.BUDGET, name="ann", key="ann", content={"usd": "0"}), ERRAND)
    condition = world.budgets.condition(BUDGET)
    assert (condition.state, condition.troubled) == ("used up", True)


def test_the_budget_for_everybody_is_nobodys_own(world):
    world.money = a_money(
        book=world.outgoing.links,
        history=world.history,
        clock=world.clock,
        purses=SimpleNamespace(),
        default=lambda owner: a_budget("5", owner=owner),
    )
    assert BudgetKeeper(world.money.budgets).found("ann") is None


def test_a_damaged_budget_is_left_to_people(world):
    world.money.budget_store.damage("ann", "bad disk")
    with pytest.raises(Unreadable, match="bad disk"):
        world.budgets.found("ann")
    with pytest.raises(Unreadable):
        world.budgets.put(BUDGET, ERRAND)


@pytest.mark.parametrize(
    "content", [{}, {"usd": "many"}, {"usd": "5", "per": "year"}, {"usd": "5", "zone": "Mars"}]
)
def test_no_budget_is_made_of_nonsense(world, content):
    part = Part(kind=Kind.BUDGET, name="ann", key="ann", content=content)
    with pytest.raises(InvalidInput):
        world.budgets.check(part, PROJECT)
