"""An application whose process goes, between any two calls: whoever takes it up comes to the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkade.domain.errors import Unavailable
from parkade.domain.project.application import Status
from parkade.domain.project.part import Kind
from parkade.services.projects.walk import Walk
from tests.services.faults import Crash, Fault
from tests.services.projectworld import PREFIX, ProjectWorld, a_project, replace

#: Calls that change nothing.
READING = {
    "all", "application", "applications", "check", "condition", "found", "get", "hourly",
    "instances", "latest", "owners", "progress", "running", "settled", "stays",
}  # fmt: skip
SMALL = a_project(routes={"/text": "one"})
LARGE = a_project(
    models={"a": {"image": "pytorch", "caches": 2}, "b": {"image": "pytorch"}},
    endpoints={"one": {"models": ["a"]}, "two": {"models": ["b"]}},
    routes={"/text": "two"},
    alarms=["slow"],
)
BROKEN = a_project(endpoints={"one": {"models": ["a"], "fails": True}}, routes={"/new": "one"})


def created(world):
    return lambda projects: projects.apply(LARGE, "ann", key="k")


def changed(world):
    world.applied(SMALL)
    return lambda projects: projects.apply(LARGE, "ann", key="k")


def reduced(world):
    world.applied(LARGE)
    return lambda projects: projects.apply(SMALL, "ann", key="k")


def adopted(world):
    world.shelf[Kind.ROUTE, "/text"] = {"endpoint": "another"}
    return lambda projects: projects.apply(SMALL, "ann", key="k", adopt=True)


def unchanged(world):
    world.applied(SMALL)
    document = replace(SMALL, document={"pipeline": {}})
    return lambda projects: projects.apply(document, "ann", key="k")


def failed(world):
    world.applied(SMALL)
    return lambda projects: projects.apply(BROKEN, "ann", key="k")


def busy(world):
    world.keepers[Kind.ALARM].troubles["TextDemo-slow"] = [Unavailable("busy")]
    return lambda projects: projects.apply(LARGE, "ann", key="k")


def rolled_back(world):
    world.applied(SMALL)
    world.applied(LARGE)
    return lambda projects: projects.roll_back(PREFIX, "ann", key="k")


def destroyed(world):
    world.applied(LARGE)
    return lambda projects: projects.destroy(PREFIX, "ann", key="k")


SCENARIOS = {
    each.__name__: each
    for each in (
        created, changed, reduced, adopted, unchanged, failed, busy, rolled_back, destroyed,
    )
}  # fmt: skip


def played(scenario, fault=None):
    """Play a scenario to its end, on past a crash where the fault has one; return the outcome."""
    world = ProjectWorld()
    ask = SCENARIOS[scenario](world)
    crashed = False
    if fault is not None:
        desk = world.a_desk(wrap=lambda name, port: fault.wrap(str(name), port))
        try:
            world.finish(ask(world.some_projects(desk)), walk=Walk(desk))
        except Crash:
            crashed = True
    # Whoever asked asks again, with the same key, and control goes on with what is running.
    application = world.finish(ask(world.some_projects()))
    return outcome(world, application), crashed


def outcome(world, application):
    records = world.store.all().records
    return {
        **world.there(),
        "records": [(each.wanted, each.applied, each.former) for each in records],
        "status": application.status,
        "steps": [(each.ref, each.outcome) for each in application.steps],
        "reason": application.reason,
        "running": world.store.running().records,
        "told": [text for text in world.told() if application.id in text],
        "ends": [
            kind for kind in world.events() if kind not in {"project.step", "project.retried"}
        ],
    }


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_crash_at_any_call_changes_nothing_in_the_end(scenario, after):
    expected, _ = played(scenario)
    counting = Fault()
    played(scenario, counting)
    assert len(counting.calls) > 5
    struck = 0
    for at, call in enumerate(counting.calls):
        if call.split(".")[1] in READING:
            continue  # a crash around it is one behind the last call that changed something
        found, crashed = played(scenario, Fault(at, Crash(), after=after))
        # A call that itself was refused did not get as far as a crash behind it.
        assert crashed or after
        struck += crashed
        differing = {
            key: (found[key], expected[key]) for key in expected if found[key] != expected[key]
        }
        assert not differing, (at, call)
    assert struck


def test_the_scenarios_are_what_they_are_called():
    statuses = {name: played(name)[0]["status"] for name in SCENARIOS}
    assert statuses == {**dict.fromkeys(SCENARIOS, Status.SUCCEEDED), "failed": Status.FAILED}


MODELS = st.dictionaries(
    st.sampled_from("ab"), st.fixed_dictionaries({"image": st.sampled_from(["x", "y"])}), min_size=1
)


@st.composite
def files(draw):
    """Some project of few names, so that two of them have much in common."""
    models = draw(MODELS)
    content = st.fixed_dictionaries(
        {"models": st.lists(st.sampled_from(sorted(models)), min_size=1, max_size=2, unique=True)},
        optional={"note": st.sampled_from(["n", "m"]), "fails": st.just(True)},
    )
    endpoints = draw(st.dictionaries(st.sampled_from(["one", "two"]), content))
    routes = draw(st.dictionaries(st.sampled_from(["/x", "/y"]), st.sampled_from(["one", "two"])))
    alarms = draw(st.sets(st.sampled_from(["slow", "many"])))
    return a_project(models=models, endpoints=endpoints, routes=routes, alarms=sorted(alarms))


def sound(project):
    """The same file with endpoints that come up."""
    parts = [
        replace(part, content={k: v for k, v in part.content.items() if k != "fails"})
        for part in project.parts
    ]
    return replace(project, parts=tuple(parts))


@settings(max_examples=60)
@given(
    before=st.lists(st.tuples(files(), st.integers(0, 40), st.booleans()), max_size=3), last=files()
)
def test_whatever_was_applied_before_the_last_file_alone_counts(before, last):
    """Former files may fail, be killed and resumed, or be called off in the middle."""
    world = ProjectWorld()
    for project, turns, cancelled in before:
        _apply_in_part(world, project, turns, cancelled=cancelled)
    application = world.applied(sound(last))
    assert application.status is Status.SUCCEEDED
    alone = ProjectWorld()
    alone.applied(sound(last))
    assert world.there() == alone.there()
    assert world.projects.plan(sound(last), "ann").changes == ()
    world.finish(world.destroy())
    assert world.shelf == {}


def _apply_in_part(world, project, turns, *, cancelled):
    application = world.apply(project)
    walk = Walk(world.desk)
    for turn in range(turns):
        if walk.advance(application.id) is None:
            return
        if turn % 3 == 2:
            world.endpoints.arrive()
    if cancelled and not world.store.application(application.id).over:
        world.projects.cancel(application.id, "bob")
    world.finish(application)


@settings(max_examples=60)
@given(
    before=files(), last=files(), gone=st.sets(st.integers(0, 8)), bent=st.sets(st.integers(0, 8))
)
def test_whatever_people_did_by_hand_the_file_counts(before, last, gone, bent):
    world = ProjectWorld()
    world.applied(sound(before))
    for number, key in enumerate(sorted(world.shelf)):
        if number in gone:
            del world.shelf[key]
        elif number in bent:
            world.shelf[key]["level"] = "by hand"
    world.applied(sound(last))
    alone = ProjectWorld()
    alone.applied(sound(last))
    assert world.there() == alone.there()
