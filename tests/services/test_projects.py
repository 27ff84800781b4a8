"""Projects: planned, applied step by step, called off, rolled back, destroyed."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from parkade.domain.errors import (
    ApplicationNotFound,
    Conflict,
    EndpointBusy,
    InUse,
    InvalidInput,
    ProjectNotFound,
    Throttled,
    Unavailable,
    Unreadable,
    VersionConflict,
)
from parkade.domain.project.application import Status
from parkade.domain.project.part import Kind, Part
from parkade.domain.project.project import Limits
from parkade.domain.project.record import Made
from parkade.domain.subscriber import Filter
from parkade.ports.events import EventQuery
from parkade.services.project import Projects
from parkade.services.projects.walk import AGAIN, PATIENCE, Walk
from tests.services.projectworld import PREFIX, ProjectWorld, a_project, outline, replace, steps

ONE = (Kind.ENDPOINT, f"{PREFIX}-one")
TWO = {"one": {"models": ["a"]}, "two": {"models": ["a"]}}


@pytest.fixture
def world():
    return ProjectWorld()


def test_a_project_is_made_in_the_order_of_its_kinds(world):
    project = a_project(routes={"/text": "one"}, alarms=["slow"])
    assert outline(world.projects.plan(project, "ann")) == [
        ("create", "model", "a"),
        ("create", "alarm", "slow"),
        ("create", "endpoint", "one"),
        ("create", "route", "/text"),
    ]
    application = world.applied(project)
    assert application.status is Status.SUCCEEDED
    assert [step[3] for step in steps(application)] == ["done"] * 4
    assert len(world.shelf) == 4
    record = world.projects.get(PREFIX)
    assert (record.wanted, record.applied, record.former) == (project, project, None)
    assert all(made.content for made in record.made)
    assert world.told() == [
        f"application {application.id} of project TextDemo succeeded: 4 parts created"
    ]
    heard = Filter(kinds=("notice.",), projects=(PREFIX,))
    (notice,) = (event for event in world.history.read(EventQuery()) if heard.passes(event))
    assert notice.reason == world.told()[0]
    (begun,) = world.history.read(EventQuery(kinds=("project.begun",)))
    assert begun.reason == "4 parts to create"
    assert world.events() == ["project.begun", *["project.step"] * 4, "project.applied"]


def test_applied_again_it_does_nothing(world):
    first = world.applied(a_project())
    calls, told, events = world.calls(), world.told(), world.events()
    difference = world.projects.plan(a_project(), "ann")
    assert (difference.changes, difference.problems) == ((), ())
    second = world.apply(a_project())
    assert (second.status, second.steps) == (Status.SUCCEEDED, ())
    assert second.id != first.id
    assert world.projects.get(PREFIX).former is None
    assert (world.calls(), world.told(), world.events()) == (calls, told, events)


def test_what_is_left_to_people_is_no_difference(world):
    world.applied(a_project())
    world.shelf[ONE]["count"] = 3
    assert world.projects.plan(a_project(), "ann").changes == ()
    world.applied(a_project(endpoints={"one": {"models": ["a"], "note": "new"}}))
    assert world.shelf[ONE]["count"] == 3


def test_a_change_tells_its_members_and_a_model_is_replaced_under_its_key(world):
    old = a_project()
    world.applied(old)
    new = a_project(models={"a": {"image": "pytorch", "caches": 2}})
    difference = world.projects.plan(new, "ann")
    assert outline(difference) == [("replace", "model", "a"), ("change", "endpoint", "one")]
    replaced, changed = difference.changes
    assert (replaced.name, replaced.formers) == (new.parts[0].name, (old.parts[0].name,))
    assert [(each.path, each.before, each.after) for each in replaced.fields] == [
        ("caches", None, 2)
    ]
    assert [(each.path, each.before, each.after) for each in changed.fields] == [
        ("models", [old.parts[0].name], [new.parts[0].name])
    ]
    assert steps(world.applied(new)) == [
        ("replace", "model", "a", "done"),
        ("change", "endpoint", "one", "done"),
        # Not before the endpoint uses the new one: it would be refused.
        ("remove", "model", "a", "done"),
    ]
    assert sorted(world.shelf) == sorted(part_key(part) for part in new.parts)


def part_key(part):
    return part.kind, part.name


def test_removals_are_last_and_the_other_way_round(world):
    world.applied(a_project(endpoints=TWO, routes={"/text": "one"}, alarms=["slow"]))
    smaller = a_project(endpoints={"new": {"models": ["a"]}})
    assert outline(world.projects.plan(smaller, "ann")) == [
        ("create", "endpoint", "new"),
        ("remove", "route", "/text"),
        ("remove", "endpoint", "one"),
        ("remove", "endpoint", "two"),
        ("remove", "alarm", "slow"),
    ]
    world.applied(smaller)
    assert sorted(world.shelf) == sorted(part_key(part) for part in smaller.parts)


def test_what_others_made_is_a_problem_unless_it_is_adopted(world):
    world.shelf[ONE] = {"models": [], "count": 2}
    project = a_project()
    difference = world.projects.plan(project, "ann")
    (problem,) = difference.problems
    assert (problem.kind, problem.name) == ONE
    assert "has not made" in problem.message
    with pytest.raises(Conflict, match="has not made it"):
        world.projects.apply(project, "ann")
    assert world.store.applications().records == ()
    adopting = world.projects.plan(project, "ann", adopt=True)
    assert [each.reason for each in adopting.changes] == [
        "", "it is there already, and is taken into the project",
    ]  # fmt: skip
    world.applied(project, adopt=True)
    assert world.shelf[ONE]["count"] == 2
    assert world.projects.get(PREFIX).find(project.parts[1].ref)


def test_what_is_adopted_as_it_is_becomes_the_projects(world):
    project = a_project(endpoints={})
    world.shelf[part_key(project.parts[0])] = {"image": "pytorch", "level": "usual"}
    (change,) = world.projects.plan(project, "ann", adopt=True).changes
    assert (str(change.verb), change.fields) == ("change", ())
    world.applied(project, adopt=True)
    assert world.projects.plan(project, "ann").changes == ()
    world.finish(world.destroy())
    assert world.shelf == {}


def test_a_part_of_another_project_is_not_taken_even_by_adopting(world):
    world.applied(a_project(routes={"/text": "one"}))
    other = replace(a_project(models={}, endpoints={}, routes={"/text": "one"}), stage="Prod")
    (problem,) = world.projects.plan(other, "ann", adopt=True).problems
    assert "is of the project TextDemo" in problem.message
    with pytest.raises(Conflict, match="is of the project TextDemo"):
        world.projects.apply(other, "ann", adopt=True)


def test_a_project_of_another_name_that_begins_the_same_is_refused(world):
    world.applied(a_project())
    other = replace(a_project(), name="TextDemo", stage="")
    with pytest.raises(Conflict, match="project Text at stage Demo begin with TextDemo"):
        world.projects.apply(other, "ann", adopt=True)
    assert world.projects.get(PREFIX).wanted == a_project()


def test_what_was_changed_by_hand_is_changed_back_and_said_so(world):
    world.applied(a_project())
    world.shelf[ONE]["level"] = "other"
    (change,) = world.projects.plan(a_project(), "ann").changes
    assert [(each.path, each.before, each.after) for each in change.fields] == [
        ("level", "other", "usual")
    ]
    assert change.reason == "it was changed by hand since it was applied"
    # Where the file says something new, it is the file's change.
    (change,) = world.projects.plan(
        a_project(endpoints={"one": {"models": ["a"], "note": "x"}}), "ann"
    ).changes
    assert change.reason == ""


def test_what_has_gone_by_other_hands_is_made_again_and_said_so(world):
    world.applied(a_project())
    del world.shelf[ONE]
    (change,) = world.projects.plan(a_project(), "ann").changes
    assert (str(change.verb), change.reason) == (
        "create", "it was made before, and is gone by other hands",
    )  # fmt: skip
    world.applied(a_project())
    assert ONE in world.shelf
    del world.shelf[ONE]
    (change,) = world.projects.plan(a_project(endpoints={}), "ann").changes
    assert (str(change.verb), change.reason) == ("remove", "it is gone already, and is forgotten")
    world.applied(a_project(endpoints={}))
    assert world.projects.plan(a_project(endpoints={}), "ann").changes == ()


def test_a_plan_that_no_longer_holds_is_not_applied(world):
    world.applied(a_project())
    shown = world.projects.plan(a_project(alarms=["slow"]), "ann")
    world.shelf[ONE]["level"] = "other"
    with pytest.raises(Conflict, match="has changed since"):
        world.projects.apply(a_project(alarms=["slow"]), "ann", plan_id=shown.plan_id)
    assert not world.store.running().records
    now = world.projects.plan(a_project(alarms=["slow"]), "ann")
    world.applied(a_project(alarms=["slow"]), plan_id=now.plan_id)
    leaving = world.projects.destroy_plan(PREFIX)
    del world.shelf[ONE]
    with pytest.raises(Conflict, match="has changed since"):
        world.projects.destroy(PREFIX, "ann", plan_id=leaving.plan_id)


def test_prices_are_told_before_and_after_and_limits_hold(world):
    endpoints = {"one": {"models": ["a"], "count": 2, "most": 4}}
    world.applied(a_project(endpoints=endpoints))
    bigger = {**endpoints, "two": {"models": ["a"], "count": 3}}
    difference = world.projects.plan(
        a_project(endpoints=bigger, limits=Limits(hourly=Decimal("0.4"), instances=6)), "ann"
    )
    assert (difference.hourly_before.usd, difference.hourly_after.usd) == (
        Decimal("0.2"), Decimal("0.5"),
    )  # fmt: skip
    assert difference.monthly_after.usd == 365
    (change,) = difference.changes
    assert (change.monthly_before, change.monthly_after.usd) == (None, 219)
    assert [each.field for each in difference.problems] == ["limits.hourly", "limits.instances"]
    with pytest.raises(InvalidInput, match=r"0.50 USD an hour.*7 instances"):
        world.projects.apply(
            a_project(endpoints=bigger, limits=Limits(hourly=Decimal("0.4"), instances=6)), "ann"
        )
    unpriced = a_project(endpoints={"one": {"models": ["a"], "type": "ml.x.large"}})
    assert world.projects.plan(unpriced, "ann").hourly_after.unpriced == {"ml.x.large"}


def test_what_can_never_be_made_and_what_nobody_keeps_are_problems(world):
    tester = Part(kind=Kind.TESTER, name="t", key="t", content={})
    project = a_project(endpoints={"one": {"models": ["a"], "impossible": True}})
    project = replace(project, parts=(*project.parts, tester))
    problems = world.projects.plan(project, "ann").problems
    assert [(each.field, each.message) for each in problems] == [
        ("impossible", "endpoint TextDemo-one is impossible"),
        ("tester", "this server keeps no part of the kind tester"),
    ]
    with pytest.raises(InvalidInput, match="impossible; this server keeps no"):
        world.projects.apply(project, "ann")
    assert world.shelf == {}


def test_of_one_project_one_application_is_running(world):
    running = world.apply(a_project())
    for ask in (
        lambda: world.projects.apply(a_project(), "bob"),
        lambda: world.projects.destroy(PREFIX, "bob"),
    ):
        with pytest.raises(InUse, match=running.id):
            ask()
    other = replace(a_project(models={}, endpoints={}, alarms=["x"]), stage="Prod")
    assert world.applied(other).status is Status.SUCCEEDED
    assert world.finish(running).status is Status.SUCCEEDED


def test_a_request_that_is_repeated_with_its_key_counts_once(world):
    first = world.apply(a_project(), key="k")
    assert world.projects.apply(a_project(), "ann", key="k").id == first.id
    world.finish(first)
    assert world.projects.apply(a_project(), "ann", key="k").status is Status.SUCCEEDED
    with pytest.raises(Conflict, match="Idempotency-Key"):
        world.projects.apply(a_project(alarms=["slow"]), "ann", key="k")
    destroyed = world.destroy(key="d")
    world.finish(destroyed)
    assert world.projects.destroy(PREFIX, "ann", key="d").id == destroyed.id


def test_endpoints_go_side_by_side_and_what_follows_waits_for_all(world):
    application = world.apply(a_project(endpoints=TWO, routes={"/text": "one"}))
    waiting = world.go(application)
    assert steps(waiting)[1:] == [
        ("create", "endpoint", "one", "None"),
        ("create", "endpoint", "two", "None"),
        ("create", "route", "/text", "None"),
    ]
    assert [each.text for each in waiting.steps[1:3]] == ["it is Creating"] * 2
    assert waiting.steps[3].started_at is None
    assert world.finish(application).status is Status.SUCCEEDED


def test_a_failure_ends_it_and_applying_again_goes_on(world):
    failing = {"one": {"models": ["a"], "fails": True}, "two": {"models": ["a"]}}
    failed = world.applied(a_project(endpoints=failing, routes={"/text": "two"}))
    assert failed.status is Status.FAILED
    assert failed.reason == "endpoint TextDemo-one: no ping"
    assert steps(failed) == [
        ("create", "model", "a", "done"),
        ("create", "endpoint", "one", "failed"),
        # It was under way already, and what is done stays done.
        ("create", "endpoint", "two", "done"),
        ("create", "route", "/text", "None"),
    ]
    assert world.told()[-1].endswith("no ping; 1 of its steps were not begun")
    record = world.projects.get(PREFIX)
    assert (record.applied, record.wanted.digest) == (None, failed.digest)
    again = world.applied(a_project(endpoints=TWO, routes={"/text": "two"}))
    assert steps(again) == [
        ("create", "endpoint", "one", "done"),
        ("create", "route", "/text", "done"),
    ]
    assert world.projects.plan(world.projects.get(PREFIX).applied, "ann").changes == ()


def test_what_is_refused_with_nothing_there_is_not_the_projects(world):
    project = a_project(endpoints={}, alarms=["slow"])
    alarms = world.keepers[Kind.ALARM]
    alarms.troubles["TextDemo-slow"] = [InvalidInput("no such metric", field="metric")]
    failed = world.applied(project)
    assert failed.reason == "alarm TextDemo-slow: no such metric"
    assert world.projects.get(PREFIX).find(project.parts[1].ref) is None
    world.shelf[Kind.ALARM, "TextDemo-slow"] = {"by": "hand"}
    world.finish(world.destroy())
    assert list(world.shelf) == [(Kind.ALARM, "TextDemo-slow")]


def test_what_came_to_be_after_the_plan_is_left_alone(world):
    application = world.apply(a_project())
    world.shelf[ONE] = {"by": "hand", "count": 1}
    failed = world.finish(application)
    assert failed.status is Status.FAILED
    assert "TextDemo-one: it is there by now, and the project TextDemo has not" in failed.reason
    assert world.shelf[ONE] == {"by": "hand", "count": 1}
    assert world.projects.get(PREFIX).find(application.steps[1].ref) is None


def test_temporary_errors_are_tried_again_visibly(world):
    alarms = world.keepers[Kind.ALARM]
    pause = timedelta(seconds=90)
    alarms.troubles["TextDemo-slow"] = [Unavailable("busy"), Throttled("later", retry_after=pause)]
    application = world.apply(a_project(endpoints={}, alarms=["slow"]))
    first = world.go(application)
    assert [each.error for each in first.steps[1].retries] == ["busy"]
    world.clock.advance(timedelta(seconds=2))
    second = world.go(application)
    assert [each.pause for each in second.steps[1].retries][1:] == [pause]
    world.clock.advance(pause)
    assert world.go(application).status is Status.SUCCEEDED
    assert world.events().count("project.retried") == 2


def test_what_cannot_be_seen_for_a_moment_is_looked_at_again_after_a_pause(world):
    world.applied(a_project(endpoints={}, alarms=["slow"]))
    application = world.destroy()
    found, world.keepers[Kind.ALARM].found = world.keepers[Kind.ALARM].found, _busy
    waiting = world.go(application)
    assert [each.error for each in waiting.steps[0].retries] == ["busy"]
    world.keepers[Kind.ALARM].found = found
    assert world.go(application).steps[0].outcome is None
    world.clock.advance(timedelta(seconds=2))
    assert world.go(application).status is Status.SUCCEEDED


def _busy(name):
    raise Unavailable("busy")


@pytest.mark.parametrize("steps_done", [0, 8])
def test_a_project_that_is_damaged_meanwhile_fails_its_application(world, steps_done):
    application = world.apply(a_project(endpoints={}, alarms=["slow"]))
    walk = Walk(world.desk)
    for _ in range(steps_done):
        walk.advance(application.id)
    world.store.damage(PREFIX, "it is torn")
    failed = world.finish(application)
    assert failed.status is Status.FAILED
    assert "it is torn" in failed.reason
    with pytest.raises(Unreadable, match="it is torn"):
        world.projects.apply(a_project(), "ann")


def test_a_temporary_error_that_stays_is_given_up(world):
    alarms = world.keepers[Kind.ALARM]
    alarms.troubles["TextDemo-slow"] = [Unavailable("busy")] * 7
    failed = world.applied(a_project(endpoints={}, alarms=["slow"]))
    assert failed.reason == "alarm TextDemo-slow: busy (tried 7 times)"


def test_a_bug_fails_the_application_alone(world):
    world.keepers[Kind.ALARM].troubles["TextDemo-slow"] = [ZeroDivisionError("oops")]
    failed = world.applied(a_project(endpoints={}, alarms=["slow"]))
    assert failed.reason.endswith("a fault of Parkade's own: ZeroDivisionError: oops")


def test_cancelled_it_stops_before_the_next_step_and_calls_deployments_off(world):
    application = world.apply(a_project(routes={"/text": "one"}))
    world.go(application)
    world.projects.cancel(application.id, "bob")
    world.projects.cancel(application.id, "bob")  # again is harmless
    cancelled = world.finish(application)
    assert (cancelled.status, cancelled.reason) == (Status.CANCELLED, "bob called it off")
    assert steps(cancelled)[1:] == [
        ("create", "endpoint", "one", "failed"),
        ("create", "route", "/text", "None"),
    ]
    assert cancelled.steps[1].text == "it was called off"
    assert world.events()[-1] == "project.cancelled"
    done = world.applied(a_project(routes={"/text": "one"}))
    assert done.status is Status.SUCCEEDED
    with pytest.raises(Conflict, match="is over"):
        world.projects.cancel(done.id, "bob")


def test_cancelled_while_it_pauses_it_does_not_try_again(world):
    alarms = world.keepers[Kind.ALARM]
    alarms.troubles["TextDemo-slow"] = [Unavailable("busy")]
    application = world.apply(a_project(endpoints={}, alarms=["slow"]))
    world.go(application)
    world.projects.cancel(application.id, "bob")
    cancelled = world.go(application)
    assert cancelled.status is Status.CANCELLED
    assert cancelled.steps[1].text == "called off; busy"


def test_cancelled_while_something_is_busy_it_waits_no_longer(world):
    alarms = world.keepers[Kind.ALARM]
    alarms.troubles["TextDemo-slow"] = [EndpointBusy("it is Updating")] * 9
    application = world.apply(a_project(endpoints={}, alarms=["slow"]))
    assert world.go(application).steps[1].text == "it is Updating"
    world.projects.cancel(application.id, "bob")
    cancelled = world.go(application)
    assert cancelled.status is Status.CANCELLED
    assert cancelled.steps[1].text == "called off; it is Updating"


def test_what_is_busy_is_waited_for(world):
    alarms = world.keepers[Kind.ALARM]
    alarms.troubles["TextDemo-slow"] = [EndpointBusy("it is Updating")] * 9
    application = world.applied(a_project(endpoints={}, alarms=["slow"]))
    assert (application.status, application.steps[1].retries) == (Status.SUCCEEDED, ())


def test_a_race_that_a_keeper_loses_again_and_again_is_given_up(world):
    alarms = world.keepers[Kind.ALARM]
    alarms.troubles["TextDemo-slow"] = [VersionConflict("lost")] * 7
    failed = world.applied(a_project(endpoints={}, alarms=["slow"]))
    assert failed.reason == "alarm TextDemo-slow: lost (tried 7 times)"


@pytest.mark.parametrize("turns", [2, 3], ids=["claimed", "made"])
def test_a_part_that_another_project_makes_in_the_meantime_is_left_to_it(world, turns):
    first = world.apply(a_project(models={}, endpoints={}, routes={"/text": "x"}))
    second = replace(a_project(models={}, endpoints={}, routes={"/text": "y"}), stage="Prod")
    begun = world.apply(second)
    for _ in range(turns):
        Walk(world.desk).advance(first.id)
    failed = world.finish(begun)
    assert failed.status is Status.FAILED
    assert world.finish(first).status is Status.SUCCEEDED
    assert world.shelf[Kind.ROUTE, "/text"]["endpoint"] == "x"
    assert world.projects.get(second.prefix).made == ()


def test_an_application_that_cannot_be_read_is_forgotten_when_it_is_cancelled(world):
    application = world.apply(a_project())
    world.store.damage(application.id, "torn")
    with pytest.raises(InUse, match=application.id):
        world.projects.apply(a_project(), "ann")
    assert world.projects.cancel(application.id, "bob") is None
    with pytest.raises(ApplicationNotFound):
        world.projects.application(application.id)
    assert world.applied(a_project()).status is Status.SUCCEEDED


def test_rolling_back_applies_the_document_before(world):
    first, second = a_project(), a_project(alarms=["slow"])
    world.applied(first)
    with pytest.raises(Conflict, match="no document before"):
        world.projects.roll_back(PREFIX, "ann")
    world.applied(second)
    back = world.finish(world.projects.roll_back(PREFIX, "ann"))
    assert (str(back.purpose), back.digest) == ("roll_back", first.digest)
    assert world.projects.plan(first, "ann").changes == ()
    # And forth again.
    assert world.finish(world.projects.roll_back(PREFIX, "ann")).digest == second.digest


def test_rolling_back_from_a_failure_leads_to_what_stood(world):
    world.applied(a_project())
    failed = world.applied(a_project(endpoints={"one": {"models": ["a"], "fails": True}}))
    assert failed.status is Status.FAILED
    assert world.finish(world.projects.roll_back(PREFIX, "ann")).digest == a_project().digest


def test_destroying_removes_what_the_project_made_and_nothing_else(world):
    world.shelf[Kind.ROUTE, "/other"] = {"endpoint": "other"}
    endpoints = {"one": {"models": ["a"], "captured": "s3://captured/text"}}
    world.applied(a_project(endpoints=endpoints, routes={"/text": "one"}))
    shown = world.projects.destroy_plan(PREFIX)
    assert outline(shown) == [
        ("remove", "route", "/text"),
        ("remove", "endpoint", "one"),
        ("remove", "model", "a"),
    ]
    assert (shown.stays, shown.hourly_before.usd, shown.hourly_after.usd) == (
        ("s3://captured/text",), Decimal("0.1"), 0,
    )  # fmt: skip
    application = world.destroy(plan_id=shown.plan_id)
    assert world.go(application).steps[1].text == "it is going"
    destroyed = world.finish(application)
    assert destroyed.status is Status.SUCCEEDED
    assert world.shelf == {(Kind.ROUTE, "/other"): {"endpoint": "other"}}
    assert world.told()[-1].endswith("is removed; what stays: s3://captured/text")
    assert world.events()[-1] == "project.destroyed"
    with pytest.raises(ProjectNotFound):
        world.projects.get(PREFIX)
    assert [each.id for each in world.projects.applications(PREFIX).records][-1] == destroyed.id
    with pytest.raises(ProjectNotFound):
        world.projects.destroy(PREFIX, "ann")


def test_applying_tells_what_stays_of_what_it_removes(world):
    endpoints = {name: {"models": ["a"], "captured": "s3://captured/text"} for name in TWO}
    world.applied(a_project(endpoints=endpoints))
    assert world.projects.plan(a_project(endpoints={}), "ann").stays == ("s3://captured/text",)
    applied = world.applied(a_project(endpoints={}))
    assert applied.stays == ("s3://captured/text",)
    assert world.told()[-1].endswith("2 parts removed; what stays: s3://captured/text")


def test_destroying_that_fails_goes_on_when_it_is_asked_for_again(world):
    world.applied(a_project(alarms=["slow"]))
    world.keepers[Kind.ALARM].troubles["TextDemo-slow"] = [Conflict("not now")]
    failed = world.finish(world.destroy())
    assert failed.reason == "alarm TextDemo-slow: not now"
    record = world.projects.get(PREFIX)
    assert record.wanted is None
    assert [each.ref.kind for each in record.made] == [Kind.MODEL, Kind.ALARM]
    assert world.finish(world.destroy()).status is Status.SUCCEEDED
    assert world.shelf == {}


def test_what_does_not_go_is_given_up_after_an_hour(world):
    world.applied(a_project())
    application = world.destroy()
    world.go(application)
    world.clock.advance(PATIENCE)
    failed = world.go(application)
    assert failed.reason == "endpoint TextDemo-one: it is going, after 1 h"


def test_what_is_waited_for_is_looked_at_again_soon(world):
    application = world.apply(a_project())
    world.go(application)
    assert Walk(world.desk).advance(application.id) == world.clock.now() + AGAIN


def test_every_part_tells_how_it_stands(world):
    world.applied(a_project(routes={"/text": "one"}))
    del world.shelf[ONE]
    told = [
        (str(part.kind), condition.state) for part, condition in world.projects.conditions(PREFIX)
    ]
    assert told == [("model", "there"), ("endpoint", "missing"), ("route", "there")]
    world.keepers[Kind.ROUTE].troubles["/text"] = [Conflict("not now")]
    world.applied(a_project(endpoints={}))
    left = [
        (str(part.kind), condition.state) for part, condition in world.projects.conditions(PREFIX)
    ]
    assert ("route", "left over") in left


def test_secrets_are_in_no_difference(world):
    def with_key(value):
        project = a_project(
            models={"a": {"environment": {"KEY": value, "LEVEL": "info"}}}, endpoints={}
        )
        part = replace(project.parts[0], secret=frozenset({"environment.KEY"}))
        return replace(project, parts=(part,))

    created = world.projects.plan(with_key("s3cret"), "ann")
    assert "s3cret" not in repr(created)
    world.applied(with_key("s3cret"))
    replaced = world.projects.plan(with_key("other"), "ann")
    assert "s3cret" not in repr(replaced.changes)
    assert "other" not in repr(replaced.changes)
    assert [(each.path, each.hidden) for each in replaced.changes[0].fields] == [
        ("environment.KEY", True)
    ]
    assert replaced.plan_id != world.projects.plan(with_key("third"), "ann").plan_id


def test_a_process_that_begins_goes_on_with_what_is_running(world):
    application = world.apply(a_project())
    asyncio.run(_resumed(world, application))
    assert world.store.application(application.id).status is Status.SUCCEEDED


async def _resumed(world, application):
    """Go on with it as control does, until it is over."""
    tasks = []
    projects = Projects(
        world.desk,
        spawn=lambda coroutine: tasks.append(asyncio.ensure_future(coroutine)),
        changed=lambda: None,
    )
    projects.start()
    await _until(lambda: projects.application(application.id).steps[1].text == "it is Creating")
    world.endpoints.arrive()
    projects.nudge()
    await asyncio.gather(*tasks)


async def _until(condition):
    while not condition():
        await asyncio.sleep(0)


def test_made_is_written_down_before_anything_is_made(world):
    seen = []
    original = world.keepers[Kind.ALARM].put

    def put(part, errand):
        seen.append(world.store.get(PREFIX).find(part.ref))
        original(part, errand)

    world.keepers[Kind.ALARM].put = put
    application = world.applied(a_project(endpoints={}, alarms=["slow"]))
    assert seen == [Made(ref=application.steps[1].ref, key="slow", application=application.id)]
