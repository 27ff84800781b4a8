"""A deployment whose process goes, between any two calls: whoever takes it up finishes it once."""

import pytest

from parkade.domain.deploy.deployment import Status
from parkade.domain.deploy.steps import Outcome
from parkade.domain.endpoint import EndpointStatus
from parkade.services.deploying.walk import Walk
from parkade.services.notices import RecordedNotices
from tests.services.deployworld import NAME, DeployWorld, a_variant_of, replace
from tests.services.faults import Crash, Fault

#: Calls that change nothing.
READING = {"config", "get", "latest", "look", "model", "policies", "spent", "tags", "targets"}
GREEN = [a_variant_of(ModelName="green")]
OTHERS = [a_variant_of(VariantName="other", ModelName="green")]


def created(world):
    return world.begin(minutes=45), world.arrive


def updated(world):
    world.deployed()
    world.scale(3)
    return world.begin(productionVariants=GREEN, minutes=15), world.arrive


def renamed(world):
    world.deployed()
    return world.begin(productionVariants=OTHERS, sleep={"after_minutes": 5}), world.arrive


def without_lease(world):
    return world.begin(metered=False), world.arrive


def _failing(world):
    """Let what is on its way up fail, and what is on its way out go."""

    def arrive():
        seen = world.hosting.endpoints().get(NAME)
        if seen is not None and seen.status is EndpointStatus.CREATING:
            world.hosting.fail(NAME, "no ping")
        elif seen is not None and seen.status is EndpointStatus.UPDATING:
            world.provisioner.turn_back(NAME, "no ping")
        else:
            world.arrive()

    return arrive


def not_created(world):
    return world.begin(), _failing(world)


def not_updated(world):
    world.deployed()
    return world.begin(productionVariants=GREEN, autoscalingMaxCapacity=9), _failing(world)


def not_created_without_lease(world):
    return world.begin(metered=False), _failing(world)


def let_again_and_failed(world):
    world.deployed()
    world.meter.stop(NAME, actor="ann")
    world.rest()
    return world.begin(productionVariants=GREEN), _failing(world)


def called_off(world):
    world.deployed()
    deployment = world.begin(productionVariants=GREEN)
    world.go(deployment)
    world.deployer.cancel(deployment.id, "bob")
    return deployment, world.arrive


SCENARIOS = {
    each.__name__: each
    for each in (
        created,
        updated,
        renamed,
        without_lease,
        not_created,
        not_updated,
        not_created_without_lease,
        let_again_and_failed,
        called_off,
    )
}


def faulty_walk(world, fault):
    """A walk under the fault: everything that it calls."""
    desk = world.a_desk(
        deployments=fault.wrap("deployments", world.deployments),
        provisioner=fault.wrap("provisioner", world.provisioner),
        meter=world.a_meter(book=fault.wrap("book", world.book)),
        terms=fault.wrap("terms", world.terms),
        scaling=fault.wrap("scaling", world.scaling),
        history=fault.wrap("history", world.history),
        notices=RecordedNotices(fault.wrap("history", world.history)),
    )
    return Walk(desk)


def outcome(world, deployment):
    """All that a deployment is to have come to."""
    stored = world.deployments.get(deployment.id)
    told = [text for text in world.told() if deployment.id in text]
    leases = {
        each.endpoint_name: (each.config_name, each.expires_at, each.ended, each.owner)
        for each in world.book.all().leases
    }
    targets = {
        each.resource.id: (each.least, each.most, each.suspended, each.tags)
        for each in world.scaling.targets().records
    }
    policies = {each.key: (each.tracking, each.steps) for each in world.scaling.policies().records}
    terms = world.terms.get(NAME)
    return {
        "status": stored.status,
        "reason": stored.reason,
        # What was done already when control went is found done.
        "steps": [(step.kind, step.outcome is Outcome.FAILED) for step in stored.steps],
        "endpoint": (world.status(), world.config_of()),
        "counts": world.counts() if world.status() else None,
        "configs": world.configs(),
        "leases": leases,
        "targets": targets,
        "policies": policies,
        "sleep": replace(terms.sleep, since=None) if terms and terms.sleep else None,
        "tags": dict(world.catalog.tags("endpoint", NAME)),
        "told": [text.replace(deployment.id, "ID") for text in told],
        "paid": [
            event.reason
            for event in world.events(NAME, "lease.added", "lease.extended", "lease.started")
            if "minutes" in event.data
        ],
    }


def played(scenario, fault=None):
    """Play a scenario to its end, on past a crash where the fault has one; return the outcome."""
    world = DeployWorld()
    deployment, arrive = SCENARIOS[scenario](world)
    crashed = False
    if fault is not None:
        try:
            world.finish(deployment, walk=faulty_walk(world, fault), arrive=arrive)
        except Crash:
            crashed = True
    world.finish(deployment, walk=Walk(world.a_desk()), arrive=arrive)
    world.rest()
    return outcome(world, deployment), crashed


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_crash_at_any_call_changes_nothing_in_the_end(scenario, after):
    expected, _ = played(scenario)
    counting = Fault()
    played(scenario, counting)
    assert len(counting.calls) > 20
    for at, call in enumerate(counting.calls):
        if call.split(".")[1] in READING:
            continue  # a crash around it is one behind the last call that changed something
        found, crashed = played(scenario, Fault(at, Crash(), after=after))
        # A call that itself was refused did not get as far as a crash behind it.
        assert crashed or after
        differing = {
            key: (found[key], expected[key]) for key in expected if found[key] != expected[key]
        }
        assert not differing, (at, call)


def test_the_scenarios_are_what_they_are_called():
    statuses = {name: played(name)[0]["status"] for name in SCENARIOS}
    assert statuses == {
        "created": Status.SUCCEEDED,
        "updated": Status.SUCCEEDED,
        "renamed": Status.SUCCEEDED,
        "without_lease": Status.SUCCEEDED,
        "not_created": Status.FAILED,
        "not_updated": Status.FAILED,
        "not_created_without_lease": Status.FAILED,
        "let_again_and_failed": Status.FAILED,
        "called_off": Status.CANCELLED,
    }
    found, _ = played("updated")
    assert found["counts"] == {"AllTraffic": 3}
    assert [text[:6] for text in found["paid"]] == ["30 min", "15 min"]
