"""Which runs of testers are begun, which are not and why, and what becomes of them."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.metrics import MemoryMetricStore
from parkade.adapters.memory.objects import MemoryObjects
from parkade.adapters.memory.testers import MemoryTesterStore
from parkade.domain import errors
from parkade.domain.errors import InUse, Unavailable
from parkade.domain.series import Series, Unit
from parkade.domain.tester.measures import NAMESPACE, Measure
from parkade.domain.tester.tester import Verdict
from parkade.ports.events import EventQuery
from parkade.ports.runners import Done
from tests.builders import NOW, a_tester, minutes
from tests.ports.test_testers import RUN
from tests.testers import a_rounds, seconds

SCHEDULED = {"schedule": "rate(5 minutes)"}
MEASURES = (
    Measure(name="ResponseTime", unit=Unit.MILLISECONDS, counts={10.0: 3}, ago=61),
    Measure(name="TestFail", unit=Unit.COUNT, counts={1.0: 1}),
)


def failed(_job=None):
    return Done(
        passed=False, summary="of 3 calls 1 with an error", report={"total": {}}, measures=MEASURES
    )


class World:
    def __init__(self, *, room=2):
        self.clock = ManualClock(NOW)
        self.history = MemoryHistory()
        self.store = MemoryTesterStore(self.history)
        self.metrics = MemoryMetricStore()
        self.objects = MemoryObjects(self.clock)
        self.tasks = []
        self.changes = 0
        self.rounds = a_rounds(
            store=self.store,
            metrics=self.metrics,
            history=self.history,
            clock=self.clock,
            objects=self.objects,
            spawn=self._spawn,
            room=room,
            changed=self._changed,
        )
        self.runner = self.rounds._means.runner
        self.sight = self.rounds._means.sight

    def _spawn(self, coroutine):
        self.tasks.append(asyncio.get_running_loop().create_task(coroutine))

    def _changed(self):
        self.changes += 1

    async def pass_time(self, span):
        """Let time go on, look, and bring all that was begun to its end."""
        self.clock.advance(span)
        self.rounds.look()
        await self.settle()

    async def settle(self):
        while self.tasks:
            await self.tasks.pop(0)

    def kinds(self):
        return [each.kind for each in self.history.read(EventQuery(limit=100))]

    def get(self, name="demo-tester"):
        return self.store.get(name)


def played(test):
    """Run a test that is a coroutine on a world."""

    def run():
        asyncio.run(test(World()))

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@played
async def test_what_is_due_is_run_and_recorded(world):
    world.store.put(a_tester(content=SCHEDULED))
    await world.pass_time(minutes(4.9))
    assert world.runner.jobs == []
    await world.pass_time(minutes(0.1))
    (job,) = world.runner.jobs
    assert job.path == "/endpoints/falcon/invocations"
    assert job.headers["Prefer"] == "wait=0"
    assert job.headers["X-Amzn-SageMaker-Inference-Id"].startswith("parkade-test-")
    last = world.get().last
    assert (last.verdict, last.by, last.began_at) == (Verdict.PASSED, "schedule", NOW + minutes(5))
    assert world.get().seen_to == NOW + minutes(5)
    assert world.kinds() == ["tester.ran"]
    (event,) = world.history.read(EventQuery(limit=9))
    assert (event.actor, event.endpoint_name, event.data["tester"]) == (
        "tester",
        "falcon",
        "demo-tester",
    )
    await world.pass_time(minutes(1))
    assert len(world.runner.jobs) == 1


@played
async def test_a_failed_run_is_told_and_its_measures_are_stored(world):
    async def answer(_job):
        return failed()

    world.runner.answer = answer
    content = {**SCHEDULED, "project": "Text", "stage": "Demo"}
    world.store.put(a_tester(content=content))
    await world.pass_time(minutes(5))
    assert world.get().last.verdict is Verdict.FAILED
    assert world.kinds() == ["tester.failed"]
    of = {"Project": "Text", "Stage": "Demo", "Type": "Endpoint"}
    times = Series.of(NAMESPACE, "ResponseTime", **of)
    fails = Series.of(NAMESPACE, "TestFail", **of)
    found = world.metrics.points([times, fails], NOW, NOW + minutes(10), 60)
    assert [(each.at, each.value.count, each.value.total) for each in found[times]] == [
        (NOW + minutes(3), 3, 30)
    ]
    assert found[times][0].value.percentile(50) == pytest.approx(10, rel=0.2)
    assert [(each.at, each.value.total) for each in found[fails]] == [(NOW + minutes(5), 1)]


@played
async def test_what_was_missed_is_not_made_up_for(world):
    world.store.put(a_tester(content=SCHEDULED))
    await world.pass_time(minutes(17))
    assert world.runner.jobs == []
    assert world.get().last is world.get().skipped is None
    await world.pass_time(minutes(3))
    assert len(world.runner.jobs) == 1


@played
async def test_an_endpoint_that_does_not_serve_is_not_woken(world):
    world.store.put(a_tester(content=SCHEDULED))
    world.sight.absences["falcon"] = "asleep"
    for _ in range(3):
        await world.pass_time(minutes(5))
    assert world.runner.jobs == []
    skipped = world.get().skipped
    assert skipped.verdict is Verdict.SKIPPED
    assert skipped.reason == "falcon does not serve: asleep"
    # Three times skipped, and told once.
    assert world.kinds() == ["tester.skipped"]
    world.sight.absences.clear()
    await world.pass_time(minutes(5))
    assert world.get().skipped is None
    assert world.kinds() == ["tester.skipped", "tester.ran"]


@played
async def test_what_cannot_be_seen_is_left_alone_and_harms_no_other(world):
    def absent(name):
        if name == "falcon":
            raise Unavailable("not all endpoints can be seen")
        return ""

    world.sight.absent = absent
    world.store.put(a_tester("one", content=SCHEDULED))
    world.store.put(a_tester("two", content={**SCHEDULED, "endpoint_name": "other"}))
    await world.pass_time(minutes(5))
    assert "it is not known whether falcon serves" in world.get("one").skipped.reason
    assert world.get("two").last.verdict is Verdict.PASSED


@played
async def test_where_idleness_matters_it_rests_until_somebody_else_has_used_the_endpoint(world):
    world.store.put(a_tester(content=SCHEDULED))
    world.sight.ladders["falcon"] = "it sleeps after 10 min without use"
    await world.pass_time(minutes(5))
    assert len(world.runner.jobs) == 1  # nobody has tested it yet
    # What it asked itself is told as use a moment later, and is none.
    world.sight.uses["falcon"] = world.get().last.ended_at + seconds(2)
    await world.pass_time(minutes(5))
    await world.pass_time(minutes(5))
    assert len(world.runner.jobs) == 1
    assert "nobody else has used falcon" in world.get().skipped.reason
    assert "it sleeps after 10 min" in world.get().skipped.reason
    world.sight.uses["falcon"] = world.clock.now() + seconds(30)
    await world.pass_time(minutes(5))
    assert len(world.runner.jobs) == 2


@played
async def test_two_testers_of_one_endpoint_do_not_keep_it_busy_for_each_other(world):
    world.store.put(a_tester("one", content=SCHEDULED))
    by_route = {"endpoint_name": None, "route": "/falcon", "schedule": "rate(7 minutes)"}
    world.store.put(a_tester("two", content=by_route))
    world.sight.ladders["falcon"] = "its lease is extended by use"
    for _ in range(60):
        before = len(world.runner.jobs)
        await world.pass_time(minutes(1))
        if len(world.runner.jobs) > before:
            world.sight.uses["falcon"] = world.clock.now() + seconds(1)
    assert len(world.runner.jobs) == 1


@played
async def test_where_nothing_follows_from_idleness_it_runs_each_time(world):
    world.store.put(a_tester(content=SCHEDULED))
    for _ in range(3):
        await world.pass_time(minutes(5))
    assert len(world.runner.jobs) == 3


@played
async def test_one_run_of_a_tester_at_a_time(world):
    go_on = asyncio.Event()

    async def answer(_job):
        await go_on.wait()
        return failed()

    world.runner.answer = answer
    world.store.put(a_tester(content=SCHEDULED))
    world.rounds.start("demo-tester", by="ann")
    assert world.rounds.under_way == {"demo-tester": NOW}
    with pytest.raises(InUse):
        world.rounds.start("demo-tester", by="bob")
    world.clock.advance(minutes(5))
    world.rounds.look()
    assert world.get().skipped.reason == "its last run is still under way"
    go_on.set()
    await world.settle()
    assert world.rounds.under_way == {}
    assert world.get().last.by == "ann"
    assert len(world.runner.jobs) == 1


@played
async def test_runs_beyond_the_room_wait_for_their_turn(world):
    under_way, most = set(), 0

    async def answer(job):
        nonlocal most
        under_way.add(job.path)
        most = max(most, len(under_way))
        await asyncio.sleep(0)
        under_way.discard(job.path)
        return failed()

    world.runner.answer = answer
    for n in range(5):
        world.store.put(a_tester(f"t{n}", content={**SCHEDULED, "endpoint_name": f"e{n}"}))
    await world.pass_time(minutes(5))
    assert len(world.runner.jobs) == 5
    assert most == 2


@played
async def test_asked_for_by_hand_it_runs_whatever_the_endpoint_does(world):
    world.store.put(a_tester())
    world.sight.absences["falcon"] = "asleep"
    world.rounds.start("demo-tester", by="ann")
    await world.settle()
    (job,) = world.runner.jobs
    assert job.headers["Prefer"] == "wait=120"
    (event,) = world.history.read(EventQuery(limit=9))
    assert event.actor == "ann"
    with pytest.raises(errors.TesterNotFound):
        world.rounds.start("unknown", by="ann")


@played
async def test_a_route_that_is_gone_and_a_run_that_breaks_are_failures(world):
    async def answer(_job):
        raise Unavailable("the run ended with status 1 and no result")

    world.runner.answer = answer
    gone = {"endpoint_name": None, "route": "/gone", **SCHEDULED}
    world.store.put(a_tester("one", content=gone))
    world.store.put(a_tester("two", content=SCHEDULED))
    await world.pass_time(minutes(5))
    assert world.get("one").last.reason == "there is no route /gone"
    assert world.get("two").last.reason == "the run ended with status 1 and no result"
    assert {each.last.verdict for each in world.store.all().records} == {Verdict.BROKEN}
    assert world.kinds() == ["tester.failed"] * 2


@played
async def test_cases_are_read_from_objects(world):
    with world.objects.writer("tests", "cases.json") as writer:
        writer.write(b'[{"id": "1", "input": 1, "expected": 1}]')
        writer.commit()
    world.store.put(a_tester("one", content={"cases": "s3://tests/cases.json"}))
    world.store.put(a_tester("two", content={"cases": "s3://tests/gone.json"}))
    world.rounds.start("one", by="ann")
    world.rounds.start("two", by="ann")
    await world.settle()
    assert [job.cases for job in world.runner.jobs] == ['[{"id": "1", "input": 1, "expected": 1}]']
    assert world.get("two").last.verdict is Verdict.BROKEN


@played
async def test_what_is_removed_while_it_runs_stays_removed(world):
    async def answer(_job):
        world.store.remove("demo-tester", event)
        return failed()

    held = world.store.put(a_tester())
    event = world.rounds._event(held.name, RUN, "falcon")
    world.runner.answer = answer
    world.rounds.start("demo-tester", by="ann")
    await world.settle()
    assert world.store.all().records == ()
    assert world.rounds.under_way == {}


@played
async def test_one_that_cannot_be_read_harms_no_other(world):
    world.store.put(a_tester("bad", content={"clients": "many", **SCHEDULED}))
    world.store.put(a_tester("torn", content=SCHEDULED))
    world.store.damage("torn", "it is torn")
    world.store.put(a_tester("well", content=SCHEDULED))
    await world.pass_time(minutes(5))
    assert len(world.runner.jobs) == 1
    assert world.get("well").last is not None


@asynccontextmanager
async def looping(world):
    task = asyncio.create_task(world.rounds.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(what):
    async with asyncio.timeout(30):
        while not what():
            await asyncio.sleep(0.01)


@played
async def test_the_loop_waits_for_the_next_time_and_hears_of_changes(world):
    async with looping(world):
        await until(lambda: world.clock.sleepers == (NOW + minutes(60),))
        world.store.put(a_tester(content=SCHEDULED))
        world.rounds.nudge()
        await until(lambda: world.clock.sleepers == (NOW + minutes(5),))
        world.clock.advance(minutes(5))
        await until(lambda: world.runner.jobs)
        await world.settle()
        await until(lambda: world.clock.sleepers == (NOW + minutes(10),))
    assert len(world.runner.jobs) == 1
