"""The audit over HTTP: what is found, and what becomes of it."""

import pytest

from parkade.domain.deploy.deployment import FormerScaling, Status
from parkade.domain.errors import Unavailable
from parkade.domain.scaling.target import Resource, Suspending
from parkade.domain.series import Series
from parkade.ports.events import EventQuery
from tests.apps.api.world import World
from tests.builders import (
    NOW,
    a_config,
    a_model,
    a_query,
    a_recorded_endpoint,
    a_variant,
    a_watch,
    an_alarm,
    an_event,
    minutes,
)
from tests.domain.scaling.cases import a_tracking
from tests.ports.test_deployments import a_deployment
from tests.scaled import a_reading


@pytest.fixture
def world():
    """A world with one endpoint that runs by its lease, and nothing left over."""
    made = World()
    made.catalog.add_model(a_model(), an_event())
    made.catalog.add_config(a_config(), an_event())
    with made.objects.writer("models", "falcon.tar.gz") as writer:
        writer.write(b"data")
        writer.commit()
    made.add("falcon")
    made.run_endpoint()
    return made


def found(world):
    return {each["id"]: each for each in world.ok("GET", "/v1/audit")["findings"]}


def fix(world, *ids):
    mended = world.ok("POST", "/v1/audit/fix", by="admin", json={"ids": list(ids)})["mended"]
    return {each["id"]: (each["done"], each["text"]) for each in mended}


def test_nothing_is_found_where_all_is_well(world):
    assert found(world) == {}


def test_an_endpoint_without_a_lease_is_told_with_its_price(world):
    world.hosting.create("kiwi", "other-config")
    world.hosting.settle("kiwi")
    finding = found(world)["endpoint.unmetered:kiwi"]
    assert finding["since"] == "2026-03-01T12:00:00Z"
    assert finding["mending"] == "by_hand"
    assert fix(world, finding["id"])[finding["id"]][0] is False
    assert "kiwi" in world.hosting.endpoints()


def test_what_is_left_of_an_endpoint_is_forgotten_on_request(world):
    world.catalog.put_tags("endpoint", "emu", {"auto-maintain": "true"})
    world.watches.put(a_watch(endpoint_name="emu"), None, before=None)
    world.services.targets.pin("emu", "a.tar.gz", pinned=True, actor="ann")
    ids = ["tags.orphaned:emu", "watch.orphaned:emu", "target.orphaned:emu/a.tar.gz"]
    assert list(found(world)) == ids
    assert all(done for done, _ in fix(world, *ids).values())
    assert found(world) == {}
    assert world.catalog.tags("endpoint", "emu") == {}
    assert world.watches.get("emu") is None
    assert world.services.targets.all() == ()
    fixed = world.history.read(EventQuery(kinds=("audit.fixed",)))
    assert {each.data["id"] for each in fixed} == set(ids[:2])
    assert {each.actor for each in fixed} == {"admin"}


def test_a_finding_that_is_gone_is_passed_over(world):
    world.catalog.put_tags("endpoint", "emu", {"team": "birds"})
    assert "tags.orphaned:emu" in found(world)
    world.add("emu")
    assert fix(world, "tags.orphaned:emu", "nothing:at all") == {
        "tags.orphaned:emu": (False, "it is not found any more"),
        "nothing:at all": (False, "it is not found any more"),
    }
    assert world.catalog.tags("endpoint", "emu") == {"team": "birds"}


def test_a_model_that_only_an_unused_config_names_goes_with_it(world):
    world.catalog.add_model(a_model("old-model"), an_event())
    world.catalog.add_config(
        a_config("old-config", variants=(a_variant(model_name="old-model"),)), an_event()
    )
    assert list(found(world)) == ["config.unused:old-config"]
    told = fix(world, "model.unused:old-model", "config.unused:old-config")
    assert list(told) == ["model.unused:old-model", "config.unused:old-config"]
    assert all(done for done, _ in told.values())
    assert found(world) == {}
    assert [each.name for each in world.catalog.models().records] == ["falcon-model"]


def test_what_a_project_made_ready_is_for_the_meter_to_start(world):
    world.catalog.add_config(a_config("ready"), an_event())
    assert "config.unused:ready" in found(world)
    tags = {"parkade:endpoint": "TextDemo-text", "parkade:current": "true"}
    world.catalog.put_tags("endpoint-config", "ready", tags)
    assert "config.unused:ready" not in found(world)


def test_data_that_is_gone_is_told_with_who_needs_it(world):
    world.objects.delete("models", "falcon.tar.gz")
    finding = found(world)["model.data_missing:falcon-model"]
    assert "s3://models/falcon.tar.gz; falcon could not start again" in finding["text"]


def test_an_alarm_on_a_variant_that_is_gone_is_removed_and_others_stay(world):
    ours = Series.of("Ours", "Songs", EndpointName="emu")
    for name, query in (
        ("red", a_query(variant="red")),
        ("elsewhere", a_query(endpoint="emu")),
        ("custom", a_query(series=ours)),
        ("blue", a_query(variant="blue")),
    ):
        world.services.alarms.book.put(an_alarm(name, queries=(query,)), "ann")
    world.catalog.put_endpoint(a_recorded_endpoint(), an_event())
    assert list(found(world)) == ["alarm.orphaned:elsewhere", "alarm.orphaned:red"]
    assert all(done for done, _ in fix(world, *found(world)).values())
    assert [each.name for each in world.services.alarms.book.all().records] == ["blue", "custom"]


def test_what_cannot_be_read_is_a_finding_and_the_rest_is_told(world):
    world.hosting.hide(Unavailable("hosting does not answer"))
    world.catalog.add_model(a_model("spare"), an_event())
    told = found(world)
    assert told["unreadable:hosting"]["text"] == ("hosting cannot be read: hosting does not answer")
    assert "model.unused:spare" in told


def test_a_damaged_lease_leaves_its_endpoint_alone(world):
    world.book.damage("falcon", "expires_at is not an instant")
    assert list(found(world)) == ["unreadable:lease of falcon"]


def test_a_damaged_project_is_told(world):
    store = world.services.projecting.desk.store
    document = {"project": "Text", "models": {}, "endpoints": {}}
    begun = world.ok("POST", "/v1/projects", json=document, by="admin")
    for name in ("Text", begun["id"]):
        store.damage(name, "it is torn")
    assert sorted(found(world)) == [
        f"unreadable:application {begun['id']}",
        "unreadable:project Text",
    ]


def test_a_lease_that_hosting_refuses_to_start(world):
    world.add("emu", config="other-config")
    world.hosting.refuse("create", "emu", Unavailable("no room"))
    world.sweep()
    world.clock.advance(minutes(2))
    assert "lease.not_running:emu" in found(world)
    assert world.clock.now() > NOW


def test_what_is_scaled_and_gone_is_deregistered_on_request(world):
    emu = Resource("emu", "blue")
    world.capacity.put(a_reading(emu))
    book = world.services.scaling.book
    book.register(emu, "ann", least=1, most=4)
    book.put_policy(emu, "p", "ann", tracking=a_tracking())
    world.capacity.forget(emu)
    finding = f"scaling.orphaned:{emu.id}"
    assert list(found(world)) == [finding]
    assert fix(world, finding) == {finding: (True, "deregister it")}
    assert found(world) == {}
    assert book.targets().records == ()
    assert world.services.alarms.book.all().records == ()


def test_configs_of_deployments_stay_with_their_endpoint_to_go_back_to(world):
    for deployment_id, name in (("d1", "falcon"), ("d2", "emu")):
        config = a_config(f"{name}-before")
        world.catalog.add_config(config, an_event())
        world.services.deploying.desk.deployments.put(
            a_deployment(
                deployment_id,
                name,
                status=Status.SUCCEEDED,
                config=config,
                made_config=True,
                ended_at=NOW,
            )
        )
    world.catalog.add_config(a_config("somebodys"), an_event())
    assert list(found(world)) == ["config.unused:emu-before", "config.unused:somebodys"]


def test_a_deployment_that_came_to_nothing_and_left_scaling_suspended_is_named(world):
    blue = Resource("falcon", a_variant().name)
    world.capacity.put(a_reading(blue))
    target = world.services.scaling.book.register(blue, "ann", least=1, most=4)
    suspending = Suspending(scale_in=True, scale_out=True, scheduled=True)
    world.services.scaling.book.register(blue, "ann", suspended=suspending)
    suspended = f"scaling.suspended:{blue.id}"
    assert suspended not in found(world)
    deployment = a_deployment(
        "d1", status=Status.FAILED, scaling=FormerScaling(targets=(target,)), ended_at=NOW
    )
    world.services.deploying.desk.deployments.put(deployment)
    assert "deployment d1" in found(world)[suspended]["text"]
    assert fix(world, suspended)[suspended][0] is False
    world.services.scaling.book.register(blue, "ann", suspended=Suspending(scale_in=False))
    assert suspended not in found(world)
