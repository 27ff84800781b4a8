"""The contract of the project store."""

from dataclasses import replace
from decimal import Decimal

import pytest

from parkade.domain.deploy.steps import Outcome
from parkade.domain.errors import (
    ApplicationNotFound,
    InUse,
    ProjectNotFound,
    Unreadable,
    VersionConflict,
)
from parkade.domain.project.application import Application, Purpose, Status, Step
from parkade.domain.project.difference import Verb
from parkade.domain.project.part import Kind, Part, Ref
from parkade.domain.project.project import Limits, Project
from parkade.domain.project.record import Made, Record
from parkade.ports.events import EventQuery
from tests.builders import NOW, an_event, minutes, seconds

ROUTE = Ref(kind=Kind.ROUTE, name="/text")


def a_project(name="Text", **changes):
    content = {"public": False, "rate": {"burst": 20, "per_second": 1.5}, "list": [1, None, {}]}
    part = Part(kind=Kind.ROUTE, name="/text", key="/text", content=content)
    return Project(name=name, **{"parts": (part,), **changes})


def a_record(name="Text", **changes):
    project = a_project(name)
    return Record(**{"prefix": name, "name": name, "stage": "", "wanted": project, **changes})


def an_application(application_id="a1", prefix="Text", **changes):
    defaults = {
        "id": application_id,
        "prefix": prefix,
        "purpose": Purpose.APPLY,
        "actor": "ann",
        "project": a_project(prefix),
        "plan_id": "p1",
        "steps": (Step(verb=Verb.CREATE, kind=Kind.ROUTE, name="/text", key="/text"),),
        "status": Status.RUNNING,
        "begun_at": NOW,
    }
    return Application(**{**defaults, **changes})


def over(application):
    return replace(application, status=Status.SUCCEEDED, ended_at=NOW)


def made(ref=ROUTE, **changes):
    return Made(**{"ref": ref, "key": ref.name, "application": "a1", **changes})


def test_every_field_comes_back(store):
    secret = Part(
        kind=Kind.MODEL,
        name="m",
        key="k",
        content={"environment": {"KEY": "ü"}, "caches": 2.5},
        secret=frozenset({"environment.KEY", "environment.OTHER"}),
    )
    project = Project(
        name="Text",
        stage="Demo",
        parts=(*a_project().parts, secret),
        document={"models": {"k": {"environment": {"KEY": {"env": "KEY"}}}}, "n": [None, True]},
        prices={"ml.c5.xlarge": Decimal("0.2380")},
        limits=Limits(hourly=Decimal("5.5"), instances=10),
    )
    step = Step(
        verb=Verb.REPLACE,
        kind=Kind.MODEL,
        name="m",
        key="k",
        started_at=NOW,
        asked=True,
        called_off=True,
        ended_at=NOW + seconds(1),
        outcome=Outcome.FAILED,
        text="because",
    )
    full = an_application(
        prefix="TextDemo",
        project=project,
        digest=project.digest,
        purpose=Purpose.ROLL_BACK,
        steps=(step,),
        status=Status.CANCELLED,
        ended_at=NOW + minutes(3),
        reason="eve called it off",
        cancelled_by="eve",
        stays=("captured data at s3://captured/text",),
    ).retried(0, "not now", seconds(2), NOW)
    record = Record(
        prefix="TextDemo",
        name="Text",
        stage="Demo",
        wanted=project,
        applied=project,
        former=replace(project, stage="Demo", parts=()),
        made=(made(content="abc"), made(secret.ref)),
        application="a1",
        applied_by="ann",
        applied_at=NOW,
    )
    stored = store.projects.put(full, record)
    assert stored == replace(full, version=1)
    assert store.projects.application("a1") == stored
    assert store.projects.get("TextDemo") == replace(record, version=1)
    assert dict(store.projects.owners()) == {ROUTE: "TextDemo", secret.ref: "TextDemo"}


def test_what_is_not_there_is_not_found(store):
    with pytest.raises(ProjectNotFound, match="none"):
        store.projects.get("none")
    with pytest.raises(ApplicationNotFound, match="none"):
        store.projects.application("none")
    with pytest.raises(ApplicationNotFound, match="none"):
        store.projects.remove("none", an_event())
    assert list(store.history.read(EventQuery())) == []


def test_projects_are_in_the_order_of_their_names_and_applications_of_their_beginning(store):
    for number, name in enumerate(("b", "a", "c")):
        application = an_application(f"a{9 - number}", name)
        store.projects.put(application, replace(a_record(name), made=()))
    store.projects.put(over(store.projects.application("a8")))
    assert [each.prefix for each in store.projects.all().records] == ["a", "b", "c"]
    assert [each.id for each in store.projects.applications().records] == ["a9", "a8", "a7"]
    assert [each.id for each in store.projects.applications("a").records] == ["a8"]
    assert [each.id for each in store.projects.running().records] == ["a9", "a7"]


def test_of_one_project_one_application_is_running_at_a_time(store):
    first = store.projects.put(an_application("a1"), a_record())
    for second in (an_application("a2"), over(an_application("a2"))):
        with pytest.raises(InUse, match="a1"):
            store.projects.put(second, store.projects.get("Text"), an_event())
    assert list(store.history.read(EventQuery())) == []
    assert store.projects.get("Text").version == 1
    store.projects.put(an_application("a3", "Other"))
    store.projects.put(over(first))
    store.projects.put(an_application("a2"))


def test_each_part_is_of_one_project_alone(store):
    first = store.projects.put(an_application("a1"), a_record(made=(made(),)))
    with pytest.raises(InUse, match="Text"):
        store.projects.put(
            an_application("a2", "Other"), a_record("Other", made=(made(),)), an_event()
        )
    assert list(store.history.read(EventQuery())) == []
    with pytest.raises(ApplicationNotFound):
        store.projects.application("a2")
    with pytest.raises(ProjectNotFound):
        store.projects.get("Other")
    store.projects.put(first, replace(store.projects.get("Text"), made=()))
    store.projects.put(an_application("a2", "Other"), a_record("Other", made=(made(),)))
    assert dict(store.projects.owners()) == {ROUTE: "Other"}


def test_put_stores_over_the_versions_that_were_read_and_no_others(store):
    first = store.projects.put(an_application(), a_record())
    record = store.projects.get("Text")
    second = store.projects.put(replace(first, reason="new"), replace(record, applied_by="ann"))
    assert (second.version, store.projects.get("Text").version) == (2, 2)
    for stale in (first, an_application()):
        with pytest.raises(VersionConflict):
            store.projects.put(stale, event=an_event())
    for stale in (record, a_record()):
        with pytest.raises(VersionConflict):
            store.projects.put(replace(second, reason="newer"), stale, an_event())
    assert store.projects.application("a1") == second
    assert store.projects.get("Text") == replace(record, applied_by="ann", version=2)
    assert list(store.history.read(EventQuery())) == []


def test_a_project_is_forgotten_with_its_last_application(store):
    first = store.projects.put(an_application(), a_record(made=(made(),)))
    store.projects.put(an_application("a2", "Other"), a_record("Other"))
    with pytest.raises(VersionConflict):
        store.projects.close(over(an_application()), an_event())
    assert store.projects.get("Text").made
    closed = store.projects.close(over(first), an_event(kind="project.destroyed"))
    assert store.projects.application("a1") == closed
    with pytest.raises(ProjectNotFound):
        store.projects.get("Text")
    assert not store.projects.owners()
    assert [each.prefix for each in store.projects.all().records] == ["Other"]
    assert [each.kind for each in store.history.read(EventQuery())] == ["project.destroyed"]
    store.projects.put(an_application("a3"), a_record())


def test_the_event_is_stored_with_the_application(store):
    store.projects.put(an_application(), event=an_event(kind="project.begun"))
    store.projects.remove("a1", an_event(kind="project.forgotten"))
    assert [each.kind for each in store.history.read(EventQuery())] == [
        "project.begun",
        "project.forgotten",
    ]


def test_a_damaged_application_hides_no_other_and_still_holds_its_project(store):
    store.projects.put(an_application("bad"), a_record())
    store.projects.put(an_application("good", "Other"))
    store.damage_project("applications", "bad")
    for listing in (store.projects.applications(), store.projects.running()):
        assert [each.id for each in listing.records] == ["good"]
        assert list(listing.unreadable) == ["bad"]
    with pytest.raises(Unreadable, match="bad"):
        store.projects.application("bad")
    with pytest.raises(InUse, match="bad"):
        store.projects.put(an_application("a2"))
    store.projects.remove("bad", an_event())
    store.projects.put(an_application("a2"))


def test_a_damaged_project_hides_no_other_and_keeps_its_parts(store):
    store.projects.put(over(an_application("a1")), a_record(made=(made(),)))
    store.projects.put(over(an_application("a2", "Other")), a_record("Other"))
    store.damage_project("projects", "Text")
    listing = store.projects.all()
    assert [each.prefix for each in listing.records] == ["Other"]
    assert list(listing.unreadable) == ["Text"]
    with pytest.raises(Unreadable, match="Text"):
        store.projects.get("Text")
    with pytest.raises(Unreadable, match="Text"):
        store.projects.put(an_application("a3"), a_record())
    with pytest.raises(ApplicationNotFound):
        store.projects.application("a3")
    assert dict(store.projects.owners()) == {ROUTE: "Text"}
