"""The contract of the scaling book: embedded, and by Application Auto Scaling's API of the same."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from parkade.adapters.aws.sagemaker.aftercare import Aftercare
from parkade.adapters.aws.sagemaker.scaling import SageMakerScaling
from parkade.adapters.aws.sagemaker.shelf import Shelf
from parkade.adapters.aws.sagemaker.sights import Sights
from parkade.adapters.memory.catalog import MemoryCatalogStore
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.kept import MemoryKeptStore
from parkade.adapters.memory.sights import MemorySightStore
from parkade.domain.errors import (
    EndpointNotFound,
    InvalidInput,
    ScalableTargetNotFound,
    ScalingPolicyNotFound,
)
from parkade.domain.scaling.policy import CustomMetric, Predefined, Tracking
from parkade.domain.scaling.target import Resource, Suspended, Suspending
from parkade.runtime.views import EndpointDescription
from parkade.services.timetables import Timing
from tests.builders import NOW, a_config, a_query, a_recorded_endpoint, a_variant, minutes
from tests.domain.scaling.cases import some_steps
from tests.services.scalingworld import BUSY, TRACKING, World
from tests.wired import Loop, wired

LATER = Resource("later", "main")
MAIN = a_variant("main", model_name="m")


class Host:
    """The part of the host that tells which endpoints there are."""

    def __init__(self):
        #: When each was created, by name.
        self.there = {"falcon": NOW}

    def description(self, name):
        if name not in self.there:
            raise EndpointNotFound(f"there is no endpoint {name!r}")
        return EndpointDescription(recorded=self._recorded(name), serving={}, rising={})

    def descriptions(self):
        return {name: self.description(name) for name in self.there}

    def config(self, name):
        return a_config(name, variants=(MAIN,))

    def _recorded(self, name):
        recorded = a_recorded_endpoint(name, created_at=self.there[name])
        blueprint = replace(recorded.blueprint, config=self.config("falcon-config"))
        return replace(recorded, blueprint=blueprint)


@pytest.fixture
def embedded():
    return World()


@pytest.fixture(scope="module")
def loop():
    built = Loop()
    yield built
    built.close()


@pytest.fixture
def sagemaker(embedded, loop, tmp_path):
    """The same world, spoken to by Application Auto Scaling's API."""
    host = Host()
    with wired(
        loop,
        tmp_path,
        host=host,
        catalog=MemoryCatalogStore(MemoryHistory()),
        clock=embedded.clock,
        scaling=SimpleNamespace(
            book=embedded.scaling, timetables=embedded.timetables, capacity=embedded.capacity
        ),
    ) as built:
        account, clock = built.account, embedded.clock
        sights = Sights(account, MemorySightStore(), clock, shelf=Shelf(account))
        kept = MemoryKeptStore()
        yield SimpleNamespace(
            book=SageMakerScaling(
                account, sights=sights, kept=kept, history=MemoryHistory(), clock=clock
            ),
            aftercare=Aftercare(account, kept, clock),
            kept=kept,
            sights=sights,
            host=host,
            world=embedded,
        )


@pytest.fixture(params=["embedded", "sagemaker"])
def book(request):
    if request.param == "embedded":
        return request.getfixturevalue("embedded").scaling
    return request.getfixturevalue("sagemaker").book


def test_what_is_registered_is_told_and_changes_by_what_is_given(book):
    made = book.register(BUSY, "ann", least=1, most=4, tags={"team": "nlp"})
    assert (made.resource, made.least, made.most, made.tags) == (BUSY, 1, 4, {"team": "nlp"})
    assert not made.suspended.scale_in
    changed = book.register(BUSY, "ann", most=6, suspended=Suspending(scale_in=True))
    assert (changed.least, changed.most) == (1, 6)
    assert changed.suspended == Suspended(scale_in=True)
    assert book.target(BUSY).tags == {"team": "nlp"}
    (listed,) = book.targets().records
    assert (listed.resource, listed.least, listed.most) == (BUSY, 1, 6)


def test_a_new_one_needs_both_bounds_that_are_bounds(book):
    with pytest.raises(InvalidInput):
        book.register(BUSY, "ann", least=1)
    with pytest.raises(InvalidInput):
        book.register(BUSY, "ann", least=3, most=2)
    assert book.targets().records == ()


def test_what_is_not_there_is_not_registered_unless_ahead_of_its_start(book):
    with pytest.raises(EndpointNotFound):
        book.register(LATER, "ann", least=1, most=2)
    with pytest.raises(InvalidInput):
        book.register(LATER, "ann", least=1, ahead=True)
    book.register(LATER, "ann", least=1, most=2, ahead=True)
    book.register(LATER, "ann", most=3, ahead=True)
    book.put_policy(LATER, "keep", "ann", tracking=TRACKING)
    assert [(each.resource, each.most) for each in book.targets().records] == [(LATER, 3)]
    assert book.target(LATER).least == 1
    assert [each.name for each in book.policies(LATER).records] == ["keep"]
    book.delete_policy(LATER, "keep", "ann")
    assert book.policies().records == ()
    book.deregister(LATER, "ann")
    with pytest.raises(ScalableTargetNotFound):
        book.target(LATER)


@pytest.mark.parametrize(
    "given",
    [
        {"tracking": TRACKING},
        {"tracking": replace(TRACKING, out_cooldown=60, in_cooldown=0, scale_in=False)},
        {"tracking": Tracking(target=5.0, metric=CustomMetric(queries=(a_query("m1"),)))},
        {"steps": some_steps((-1, None, 0.0), (2, 0.0, None), cooldown=60)},
    ],
)
def test_a_policy_comes_back_as_it_was_put(book, given):
    book.register(BUSY, "ann", least=1, most=4)
    book.put_policy(BUSY, "keep", "ann", **given)
    (policy,) = book.policies(BUSY).records
    assert (policy.name, policy.resource) == ("keep", BUSY)
    assert (policy.tracking, policy.steps) == (given.get("tracking"), given.get("steps"))
    assert book.policies().records == (policy,)


def test_a_policy_needs_its_target_and_a_metric_of_it(book):
    with pytest.raises(ScalableTargetNotFound):
        book.put_policy(BUSY, "keep", "ann", tracking=TRACKING)
    book.register(BUSY, "ann", least=1, most=4)
    with pytest.raises(InvalidInput):
        book.put_policy(
            BUSY,
            "keep",
            "ann",
            tracking=Tracking(target=1.0, metric=Predefined.INVOCATIONS_PER_COPY),
        )
    with pytest.raises(ScalingPolicyNotFound):
        book.delete_policy(BUSY, "none", "ann")


def test_policies_go_with_their_target(book):
    book.register(BUSY, "ann", least=1, most=4)
    book.put_policy(BUSY, "keep", "ann", tracking=TRACKING)
    book.deregister(BUSY, "ann")
    assert book.policies().records == ()
    for call in (book.deregister, lambda resource, _: book.target(resource)):
        with pytest.raises(ScalableTargetNotFound):
            call(BUSY, "ann")


def test_what_an_endpoint_takes_with_it_is_put_on_again_when_it_serves(sagemaker):
    book, world = sagemaker.book, sagemaker.world
    book.register(BUSY, "ann", least=1, most=4, suspended=Suspending(scale_in=True))
    book.put_policy(BUSY, "keep", "ann", tracking=TRACKING)
    timing = Timing(schedule="cron(0 9 ? * MON-FRI *)", starts_at=NOW, least=2)
    world.timetables.put(BUSY, "office", timing, "ann")
    sagemaker.aftercare.keep(sagemaker.sights.look("falcon"))
    sagemaker.aftercare.restore(sagemaker.sights.all())
    assert "falcon" in sagemaker.kept.all()
    world.scaling.deregister(BUSY, "SageMaker")
    sagemaker.host.there.clear()
    assert book.target(BUSY).most == 4
    sagemaker.aftercare.restore(sagemaker.sights.all())
    assert world.scaling.targets().records == ()

    sagemaker.host.there["falcon"] = NOW + minutes(30)
    sagemaker.aftercare.restore(sagemaker.sights.all())
    (target,) = world.scaling.targets().records
    assert (target.least, target.most, target.suspended.scale_in) == (1, 4, True)
    assert [each.tracking for each in world.scaling.policies().records] == [TRACKING]
    (action,) = world.timetables.all().records
    assert (action.name, action.starts_at, action.least) == ("office", NOW, 2)
    assert sagemaker.kept.all() == {}


def test_what_is_taken_off_for_an_update_is_back_with_its_target(sagemaker):
    book, world = sagemaker.book, sagemaker.world
    book.register(BUSY, "ann", least=1, most=4)
    book.put_policy(BUSY, "keep", "ann", tracking=TRACKING)
    world.timetables.put(BUSY, "office", Timing(schedule="cron(0 9 ? * MON-FRI *)", least=2), "ann")
    sagemaker.aftercare.release("falcon", NOW, ["main", "none"])
    assert world.scaling.targets().records == ()
    # Until it is over, the sweep gives nothing back.
    sagemaker.aftercare.restore(sagemaker.sights.all())
    assert world.scaling.targets().records == ()
    assert [each.most for each in book.targets().records] == [4]

    before = book.target(BUSY)
    book.register(BUSY, "ann", least=before.least, most=before.most)
    assert [each.resource for each in world.scaling.targets().records] == [BUSY]
    assert [each.name for each in world.scaling.policies().records] == ["keep"]
    assert [each.name for each in world.timetables.all().records] == ["office"]
    assert sagemaker.kept.all() == {}


def test_what_is_taken_off_for_an_update_is_back_though_nobody_registers_it(sagemaker):
    book, world = sagemaker.book, sagemaker.world
    book.register(BUSY, "ann", least=1, most=4)
    book.put_policy(BUSY, "keep", "ann", tracking=TRACKING)
    sagemaker.aftercare.release("falcon", NOW, ["main"])
    world.clock.advance(minutes(6))
    sagemaker.aftercare.restore(sagemaker.sights.all())
    assert [each.name for each in world.scaling.policies().records] == ["keep"]
    assert sagemaker.kept.all() == {}


@pytest.mark.parametrize("registered", [True, False])
def test_alarms_that_lead_to_steps_are_asked_for_when_those_come_back(
    sagemaker, caplog, registered
):
    book, world = sagemaker.book, sagemaker.world
    book.register(BUSY, "ann", least=1, most=4)
    book.put_policy(BUSY, "more", "ann", steps=some_steps((1, 0.0, None)))
    book.put_policy(BUSY, "keep", "ann", tracking=TRACKING)
    sagemaker.aftercare.release("falcon", NOW, ["main"])
    if registered:
        book.register(BUSY, "ann", least=1, most=4)
    else:
        world.clock.advance(minutes(6))
        sagemaker.aftercare.restore(sagemaker.sights.all())
    (arn,) = [each.split()[-1] for each in caplog.messages if "another ARN" in each]
    assert arn.endswith(f"resource/sagemaker/{BUSY.id}:policyName/more")


def test_the_scaling_of_a_variant_that_is_gone_is_not_waited_for(sagemaker, caplog):
    gone = Resource("falcon", "former")
    sagemaker.world.have(gone)
    sagemaker.book.register(gone, "ann", least=1, most=2)
    sagemaker.aftercare.release("falcon", NOW, ["former"])
    sagemaker.world.capacity.forget(gone)
    sagemaker.world.clock.advance(minutes(6))
    sagemaker.aftercare.restore(sagemaker.sights.all())
    assert "goes without it" in caplog.text
    assert sagemaker.kept.all() == {}


def test_what_cannot_be_put_on_again_is_tried_at_the_next_sight(sagemaker, caplog):
    book, world = sagemaker.book, sagemaker.world
    book.register(LATER, "ann", least=1, most=2, ahead=True)
    sagemaker.host.there["later"] = NOW
    sagemaker.aftercare.restore(sagemaker.sights.all())
    assert "later serves without all that it had" in caplog.text
    assert world.scaling.targets().records == ()
    world.have(LATER)
    sagemaker.aftercare.restore(sagemaker.sights.all())
    assert [each.resource for each in world.scaling.targets().records] == [LATER]
    assert sagemaker.kept.all() == {}


def test_what_was_kept_for_a_deletion_that_was_refused_is_forgotten(sagemaker):
    sagemaker.book.register(BUSY, "ann", least=1, most=4)
    sagemaker.aftercare.keep(sagemaker.sights.look("falcon"))
    sagemaker.aftercare.abandon("falcon")
    assert sagemaker.kept.all() == {}
    sagemaker.book.register(LATER, "ann", least=1, most=2, ahead=True)
    sagemaker.aftercare.abandon("later")
    assert list(sagemaker.kept.all()) == ["later"]


def test_what_was_taken_off_for_an_update_outlives_a_deletion_that_was_refused(sagemaker):
    other = Resource("falcon", "other")
    for resource in (BUSY, other):
        sagemaker.book.register(resource, "ann", least=1, most=4)
        sagemaker.book.put_policy(resource, "keep", "ann", tracking=TRACKING)
    sagemaker.aftercare.release("falcon", NOW, ["main"])
    sagemaker.aftercare.keep(sagemaker.sights.look("falcon"))
    sagemaker.aftercare.abandon("falcon")
    kept = sagemaker.kept.get("falcon")
    for part in (kept.targets, kept.policies):
        assert [each["ResourceId"] for each in part] == [BUSY.id]


def test_what_is_changed_after_it_was_kept_is_not_undone_by_what_was_kept(sagemaker):
    book, world = sagemaker.book, sagemaker.world
    book.register(BUSY, "ann", least=1, most=4)
    for name in ("keep", "other"):
        book.put_policy(BUSY, name, "ann", tracking=TRACKING)
    sagemaker.aftercare.keep(sagemaker.sights.look("falcon"))
    book.register(BUSY, "ann", most=6)
    changed = replace(TRACKING, out_cooldown=60)
    book.put_policy(BUSY, "keep", "ann", tracking=changed)
    book.delete_policy(BUSY, "other", "ann")
    assert [each.name for each in book.policies(BUSY).records] == ["keep"]
    # Nobody has deleted the endpoint: it stays after all.
    world.clock.advance(minutes(6))
    sagemaker.aftercare.restore(sagemaker.sights.all())
    (target,) = world.scaling.targets().records
    assert (target.least, target.most) == (1, 6)
    (policy,) = world.scaling.policies().records
    assert (policy.name, policy.tracking) == ("keep", changed)
    assert sagemaker.kept.all() == {}


def test_a_policy_that_is_put_while_others_come_back_is_not_lost(sagemaker):
    book, world, kept = sagemaker.book, sagemaker.world, sagemaker.kept
    book.register(LATER, "ann", least=1, most=2, ahead=True)
    book.put_policy(LATER, "keep", "ann", tracking=TRACKING)
    sagemaker.host.there["later"] = NOW
    sights = sagemaker.sights.all()
    world.have(LATER)
    all_kept = kept.all

    def then_another():
        found, kept.all = all_kept(), all_kept
        book.put_policy(LATER, "other", "ann", tracking=replace(TRACKING, target=3.0))
        return found

    kept.all = then_another
    for _ in range(2):
        sagemaker.aftercare.restore(sights)
    assert sorted(each.name for each in world.scaling.policies().records) == ["keep", "other"]
    assert kept.all() == {}


def test_what_is_not_valid_any_more_keeps_nothing_else_from_coming_back(sagemaker, caplog):
    book, world = sagemaker.book, sagemaker.world
    book.register(LATER, "ann", least=1, most=2, ahead=True)
    book.put_policy(LATER, "keep", "ann", tracking=TRACKING)
    named = {"ResourceId": LATER.id, "ScalableDimension": LATER.dimension.value}
    bad = {
        "ServiceNamespace": "sagemaker",
        **named,
        "ScheduledActionName": "x",
        "Schedule": "never",
    }
    sagemaker.kept.change("later", lambda kept: replace(kept, actions=[bad]))
    sagemaker.host.there["later"] = NOW
    world.have(LATER)
    sagemaker.aftercare.restore(sagemaker.sights.all())
    assert "goes without it" in caplog.text
    assert [each.name for each in world.scaling.policies().records] == ["keep"]
    assert sagemaker.kept.all() == {}
