"""The keeper of testers: what differs, what is kept, how they stand."""

from dataclasses import replace

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.testers import MemoryTesterStore
from parkade.domain.errors import InvalidInput
from parkade.domain.project.part import Kind, Part
from parkade.domain.project.project import Project
from parkade.domain.tester.tester import Verdict
from parkade.ports.events import EventQuery
from parkade.services import testers
from parkade.services.projects import testers as keeping
from parkade.services.projects.keeper import Errand, Stage
from tests.builders import NOW, minutes
from tests.ports.test_testers import RUN

PROJECT = Project(name="Text", stage="Demo")
ERRAND = Errand(id="application/1", project="TextDemo", actor="ann")
CONTENT = {
    "project": "Text",
    "stage": "Demo",
    "route": "/text",
    "endpoint_name": None,
    "cases": [{"id": "1", "input": 1, "expected": 1}],
    "clients": 2,
    "interval_seconds": 1,
    "duration_seconds": 60,
    "schedule": "rate(5 minutes)",
    "token": "the secret",
}


class World:
    def __init__(self):
        self.clock = ManualClock(NOW)
        self.history = MemoryHistory()
        self.store = MemoryTesterStore(self.history)
        self.keeper = keeping.TesterKeeper(testers.Testers(self.store, clock=self.clock))

    def part(self, **changes):
        content = {**CONTENT, **changes}
        return Part(kind=Kind.TESTER, name="TextDemo-tester", key="tester", content=content)

    def differs(self, part):
        found = self.keeper.found(part.name)
        return found is None or dict(found) != dict(self.keeper.settled(part, found))

    def apply(self, part):
        self.keeper.check(part, PROJECT)
        differs = self.differs(part)
        if differs:
            self.keeper.put(part, ERRAND)
            assert self.keeper.progress(part, ERRAND).stage is Stage.DONE
            assert not self.differs(part)
        return differs

    def ran(self, run):
        self.store.put(self.store.get("TextDemo-tester").ran(run))


@pytest.fixture
def world():
    return World()


def test_applied_twice_the_second_time_does_nothing(world):
    assert world.apply(world.part())
    assert not world.apply(world.part())
    assert world.apply(world.part(clients=3))
    kinds = [each.kind for each in world.history.read(EventQuery(limit=9))]
    assert kinds == ["tester.set"] * 2


def test_the_same_errand_again_changes_nothing(world):
    world.apply(world.part())
    world.clock.advance(minutes(3))
    world.keeper.put(world.part(), ERRAND)
    assert world.store.get("TextDemo-tester").version == 1


def test_the_token_is_not_kept(world):
    world.apply(world.part())
    assert "secret" not in str(world.store.get("TextDemo-tester"))
    assert not world.differs(world.part(token="another"))


def test_what_cannot_be_is_refused_before_anything_is_made(world):
    with pytest.raises(InvalidInput):
        world.keeper.check(world.part(schedule="hourly"), PROJECT)
    assert world.keeper.found("TextDemo-tester") is None


def test_it_is_removed_and_removing_it_again_is_no_error(world):
    world.apply(world.part())
    for _ in range(2):
        world.keeper.remove("TextDemo-tester", ERRAND)
        assert world.keeper.found("TextDemo-tester") is None


def test_how_it_stands(world):
    part = world.part()
    assert world.keeper.condition(part).state == "missing"
    world.apply(part)
    assert world.keeper.condition(part).state == "ready"
    assert not world.keeper.condition(part).troubled
    world.ran(RUN)
    failed = world.keeper.condition(part)
    assert (failed.state, failed.troubled) == ("failed", True)
    assert failed.text.startswith("of 3 calls 1 with an error")
    world.ran(replace(RUN, verdict=Verdict.SKIPPED, reason="text is asleep"))
    skipped = world.keeper.condition(part)
    assert (skipped.state, skipped.troubled) == ("skipped", False)
    world.ran(replace(RUN, verdict=Verdict.PASSED))
    assert world.keeper.condition(part).state == "passed"


def test_it_costs_nothing_by_itself(world):
    assert world.keeper.hourly(CONTENT, PROJECT).usd == 0
    assert world.keeper.instances(CONTENT) == 0
