"""The deployer: its steps, what it keeps, what it refuses, and what a failure leaves."""

import asyncio

import pytest

from parkade.domain.deploy.deployment import Status
from parkade.domain.deploy.payload import read
from parkade.domain.deploy.retries import RETRIES
from parkade.domain.deploy.steps import StepKind
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    BudgetExceeded,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    InUse,
    InvalidInput,
    ModelNotFound,
    ResourceLimitExceeded,
    ScalableTargetNotFound,
    Throttled,
    Unavailable,
    Unreadable,
)
from parkade.domain.lease import EndReason
from parkade.domain.rollout import Strategy
from parkade.domain.scaling.policy import Predefined, Tracking
from parkade.domain.scaling.target import Resource, Suspended, Suspending
from parkade.domain.terms import Booking, Sleep
from parkade.services.deploying.scalings import POLICY
from parkade.services.deploying.steering import Steering
from parkade.services.deploying.walk import Walk
from tests.builders import NOW, a_model, an_endpoint, an_event, minutes, seconds
from tests.house import PATIENCE
from tests.money import a_budget
from tests.services.deployworld import (
    NAME,
    DeployWorld,
    a_payload,
    a_variant_of,
    an_order,
    outline,
    replace,
)
from tests.services.faults import Crash

GREEN = [a_variant_of(ModelName="green")]


@pytest.fixture
def world():
    return DeployWorld()


# -- from nothing ---------------------------------------------------------------------------------


def test_an_endpoint_is_created_by_its_lease_and_the_plan(world):
    deployment = world.deployed(minutes=45)
    lease = world.book.get(NAME)
    assert (lease.config_name, lease.owner) == (deployment.config_name, "ann")
    assert lease.expires_at == NOW + minutes(45)
    assert world.config_of() == deployment.config_name
    assert "create" not in world.provisioner.calls, "the sweep created it, not the deployer"
    assert outline(deployment) == [
        ("look", "done"),
        ("config", "done"),
        ("scaling_off", "skipped"),
        ("bring_up", "done"),
        ("wait", "done"),
        ("check", "done"),
        ("scaling_on", "done"),
        ("settle", "skipped"),
        ("tidy", "skipped"),
        ("notify", "done"),
    ]


def test_a_lease_gets_the_usual_time_where_none_is_named(world):
    world.deployed()
    assert world.book.get(NAME).expires_at == NOW + minutes(30)


def test_scaling_is_put_on_with_the_default_policy(world):
    world.deployed()
    target = world.target()
    assert (target.least, target.most, target.suspended) == (1, 4, Suspended())
    policy = world.scaling.policy(target.resource, POLICY)
    assert policy.tracking == Tracking(
        target=5000.0, metric=Predefined.INVOCATIONS_PER_INSTANCE, out_cooldown=60, in_cooldown=300
    )


def test_everything_that_is_made_carries_the_environment(world):
    deployment = world.deployed(environment="staging", tags={"team": "blue"})
    tags = {"environment": "staging", "team": "blue"}
    assert world.catalog.tags("endpoint", NAME) == tags
    assert world.catalog.tags("endpoint-config", deployment.config_name) == tags
    assert world.target().tags == tags


def test_without_a_lease_hosting_creates_it(world):
    deployment = world.deployed(metered=False)
    assert world.book.all().leases == ()
    assert "create" in world.provisioner.calls
    assert world.config_of() == deployment.config_name


def test_without_a_lease_is_refused_where_the_server_runs_none(world):
    world.leases_only = True
    with pytest.raises(Conflict, match="no endpoint without a lease"):
        world.begin(metered=False)


def test_without_a_lease_is_refused_where_there_is_one(world):
    world.running()
    with pytest.raises(Conflict, match="has a lease"):
        world.begin(metered=False)


def test_another_owner_is_refused(world):
    world.running()
    with pytest.raises(Conflict, match="is ann's, not bob's"):
        world.begin(owner="bob")


def test_what_is_bought_is_held_to_budgets(world):
    def refuse(lease, held, now):
        raise BudgetExceeded("1.00 USD is more than is left", until=now)

    world.meter._admit = refuse
    deployment = world.finish(world.begin())
    assert deployment.status is Status.FAILED
    assert "more than is left" in deployment.reason
    assert world.configs() == []
    assert world.book.all().leases == ()


def test_a_lease_that_is_over_is_let_again_and_runs_the_new_config(world):
    first = world.deployed()
    world.meter.stop(NAME, actor="ann")
    world.sweep.run()
    world.arrive()
    assert world.status() is None
    second = world.deployed(productionVariants=GREEN)
    assert world.config_of() == second.config_name != first.config_name
    assert world.book.get(NAME).config_name == second.config_name


def test_an_endpoint_that_failed_is_created_anew_from_the_new_config(world):
    world.deployed()
    world.hosting.fail(NAME, "no ping")
    world.clock.advance(seconds(1))
    deployment = world.begin(productionVariants=GREEN)
    current = world.go(deployment)
    assert current.step.kind is StepKind.WAIT
    world.clock.advance(minutes(1))
    assert world.finish(deployment).status is Status.SUCCEEDED
    assert world.config_of() == world.deployments.get(deployment.id).config_name


def test_one_that_is_just_being_started_is_waited_for(world):
    world.deployed()
    world.meter.stop(NAME, actor="ann")
    world.rest()
    world.meter.start(NAME, amount=minutes(30), actor="ann")
    deployment = world.begin(productionVariants=GREEN)
    assert world.deployments.get(deployment.id).steps == ()
    world.walk.advance(deployment.id)
    world.walk.advance(deployment.id)
    assert "being started" in world.deployments.get(deployment.id).steps[-1].text
    assert world.finish(deployment).status is Status.SUCCEEDED


# -- updates --------------------------------------------------------------------------------------


def test_live_counts_are_kept_by_name_whatever_their_place(world):
    blue, green = a_variant_of(VariantName="blue"), a_variant_of(VariantName="green")
    world.deployed(productionVariants=[blue, green])
    world.scale(3, "blue")
    world.scale(2, "green")
    deployment = world.deployed(
        productionVariants=[{**green, "ModelName": "green"}, blue, a_variant_of(VariantName="new")]
    )
    assert world.counts() == {"green": 2, "blue": 3, "new": 1}
    counts = {each.name: each.instance_count for each in deployment.config.variants}
    assert counts == {"green": 2, "blue": 3, "new": 1}
    assert deployment.found.counts == {"blue": 3, "green": 2}


def test_live_counts_are_brought_within_the_new_bounds(world):
    world.deployed()
    world.scale(4)
    world.deployed(autoscalingMaxCapacity=2)
    assert world.counts() == {"AllTraffic": 2}


def test_what_scales_between_look_and_update_is_kept_all_the_same(world):
    world.deployed()
    deployment = world.begin(productionVariants=GREEN)
    while world.deployments.get(deployment.id).begun_step(StepKind.BRING_UP) is None:
        world.walk.advance(deployment.id)
    world.scale(3)
    assert world.finish(deployment).status is Status.SUCCEEDED
    assert world.counts() == {"AllTraffic": 3}


def test_the_lease_follows_the_new_config_and_no_sweep_undoes_it(world):
    world.deployed()
    deployment = world.deployed(productionVariants=GREEN)
    world.rest()
    assert world.book.get(NAME).config_name == deployment.config_name == world.config_of()


def test_an_update_buys_the_minutes_that_are_named_and_no_others(world):
    world.deployed(minutes=30)
    world.deployed(productionVariants=GREEN)
    assert world.book.get(NAME).expires_at == NOW + minutes(30)
    world.deployed(minutes=15)
    assert world.book.get(NAME).expires_at == NOW + minutes(45)


def test_an_endpoint_without_a_lease_gets_one_where_it_is_metered(world):
    world.deployed(metered=False)
    deployment = world.deployed(productionVariants=GREEN)
    world.rest()
    assert world.book.get(NAME).config_name == deployment.config_name == world.config_of()


def test_what_runs_already_is_not_updated_and_gets_its_scaling(world):
    first = world.deployed()
    world.scale(3)
    deployment = world.deployed(autoscalingMaxCapacity=6)
    assert world.provisioner.calls.count("update") == 0
    assert deployment.config_name == first.config_name
    assert deployment.begun_step(StepKind.BRING_UP).outcome == "skipped"
    assert world.target().most == 6
    assert world.configs() == [first.config_name]


def test_weights_that_were_changed_meanwhile_are_changed_back(world):
    variants = [a_variant_of(VariantName="blue"), a_variant_of(VariantName="green")]
    first = world.deployed(productionVariants=variants)
    present = world.provisioner.look(NAME).blueprint
    world.provisioner._running[NAME] = present.changed({}, {"blue": 7.0})
    second = world.deployed(productionVariants=variants)
    assert second.config_name != first.config_name
    weights = [each.weight for each in world.provisioner.look(NAME).blueprint.config.variants]
    assert weights == [1.0, 1.0]
    world.deployed(productionVariants=variants)
    assert world.provisioner.calls.count("reweigh") == 1
    assert "update" not in world.provisioner.calls


BLUE_AND_GREEN = [
    a_variant_of(VariantName="blue"),
    a_variant_of(VariantName="green", ModelName="green"),
]


def test_other_weights_alone_are_put_on_the_fleet_that_serves(world):
    first = world.deployed(productionVariants=BLUE_AND_GREEN)
    world.scale(3, "blue")
    heavier = [{**BLUE_AND_GREEN[0], "InitialVariantWeight": 9}, BLUE_AND_GREEN[1]]
    before = world.provisioner.look(NAME).observed.generation
    second = world.deployed(productionVariants=heavier, strategy={"kind": "canary", "percent": 50})
    assert "update" not in world.provisioner.calls
    present = world.provisioner.look(NAME)
    assert present.observed.generation == before
    assert [v.weight for v in present.blueprint.config.variants] == [9.0, 1.0]
    assert world.counts() == {"blue": 3, "green": 1}
    world.rest()
    assert world.book.get(NAME).config_name == second.config_name == world.config_of()
    assert second.config_name != first.config_name
    assert (
        "on the fleet"
        in world.deployer.rehearse(an_order(productionVariants=BLUE_AND_GREEN), "ann")
        .planned[3]
        .text
    )


def test_weights_that_fail_after_they_were_changed_are_changed_back_without_a_fleet(world):
    first = world.deployed(productionVariants=BLUE_AND_GREEN)
    heavier = [{**BLUE_AND_GREEN[0], "InitialVariantWeight": 9}, BLUE_AND_GREEN[1]]
    deployment = world.begin(productionVariants=heavier)
    world.go(deployment)
    world.arrive()
    while world.deployments.get(deployment.id).begun_step(StepKind.CHECK) is None:
        world.walk.advance(deployment.id)
    world.deployer.cancel(deployment.id, "bob")
    world.deployer = world.a_deployer()
    failed = world.finish(deployment)
    assert failed.status is Status.CANCELLED
    assert world.config_of() == first.config_name
    assert world.provisioner.calls.count("reweigh") == 2
    assert "update" not in world.provisioner.calls


CAPTURE = {"InitialSamplingPercentage": 100, "DestinationS3Uri": "s3://captured/text"}
ASYNC = {"OutputConfig": {"S3OutputPath": "s3://answers/text"}}
SHADOW = [a_variant_of(VariantName="shade", ModelName="green")]


@pytest.mark.parametrize(
    ("key", "given", "held"),
    [
        ("DataCaptureConfig", CAPTURE, lambda config: config.capture),
        ("AsyncInferenceConfig", ASYNC, lambda config: config.asynchronous),
        ("ShadowProductionVariants", SHADOW, lambda config: config.shadows),
    ],
)
def test_capture_async_and_shadows_are_put_on_kept_and_taken_off(world, key, given, held):
    def serving():
        return held(world.provisioner.look(NAME).blueprint.config)

    plain = world.deployed()
    put_on = world.deployed(**{key: given})
    assert serving()
    assert put_on.config_name != plain.config_name
    kept = world.deployed(productionVariants=GREEN)
    assert serving()
    assert kept.config_name != put_on.config_name
    payload = {**a_payload(productionVariants=GREEN), key: None}
    deployment = world.deployer.begin(read(payload), "ann")
    world.deployer = world.a_deployer()
    assert world.finish(deployment).status is Status.SUCCEEDED
    assert not serving()


def test_a_shadow_test_that_cannot_go_on_is_told_of(world):
    world.deployed(ShadowProductionVariants=SHADOW)
    failed = world.finish(world.begin(productionVariants=BLUE_AND_GREEN))
    assert failed.status is Status.FAILED
    assert "has the shadow variant 'shade'" in failed.reason
    assert '"ShadowProductionVariants": null' in failed.reason


def test_a_multi_model_endpoint_is_deployed_and_updated(world):
    many = a_model("many", data_url="s3://models/many/", multi_model=True)
    world.catalog.add_model(many, an_event())
    first = world.deployed(productionVariants=[a_variant_of(ModelName="many")])
    world.deployed(productionVariants=[a_variant_of(ModelName="many", InstanceType="ml.c5.xlarge")])
    assert world.config_of() != first.config_name
    told = world.deployer.rehearse(
        an_order(
            productionVariants=[a_variant_of(ModelName="many")], ShadowProductionVariants=SHADOW
        ),
        "ann",
    )
    assert any("multi-model" in each.hint for each in told.problems)


def test_a_lease_that_is_over_is_not_revived_where_that_is_not_wished_for(world):
    world.deployed()
    world.meter.stop(NAME, actor="ann")
    world.rest()
    with pytest.raises(Conflict, match="is not to be given new time"):
        world.begin(productionVariants=GREEN, revives=False)
    assert world.status() is None
    assert world.configs() == [world.book.get(NAME).config_name]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (StepKind.LOOK, "is over, and `revives` is false"),
        (StepKind.BRING_UP, "is not to be given new time"),
    ],
)
def test_a_lease_that_runs_out_before_it_is_bought_is_not_revived(world, step, words):
    world.deployed(minutes=30)
    deployment = world.begin(productionVariants=GREEN, revives=False)
    while world.deployments.get(deployment.id).begun_step(step) is None:
        world.walk.advance(deployment.id)
    world.clock.advance(minutes(31))
    failed = world.finish(deployment)
    assert words in failed.reason
    assert world.book.get(NAME).over(world.clock.now())


def test_a_model_that_was_made_anew_is_another_one(world):
    first = world.deployed()
    world.catalog.remove_model("blue", an_event())
    world.catalog.add_model(replace(a_model("blue"), created_at=NOW + minutes(1)), an_event())
    second = world.deployed()
    assert second.config_name != first.config_name
    assert world.provisioner.calls.count("update") == 1


def test_a_config_of_that_name_with_other_content_is_not_used(world):
    deployment = world.deployed()
    world.meter.remove(NAME, actor="ann")
    world.arrive()
    config = world.catalog.config(deployment.config_name)
    world.catalog.remove_config(config.name, an_event())
    world.catalog.add_config(replace(config, extras={"KmsKeyId": "k"}), an_event())
    again = world.finish(world.begin())
    assert again.status is Status.FAILED
    assert "says something else" in again.reason
    assert world.configs() == [config.name], "it is not this deployment's to remove"


def test_scaling_is_suspended_while_the_update_is_under_way(world):
    world.deployed()
    world.go(world.begin(productionVariants=GREEN))
    assert world.target().suspended == Suspended(scale_in=True, scale_out=True, scheduled=True)


def test_scaling_that_is_not_spoken_of_is_as_it_was(world):
    world.deployed()
    world.scaling.register(world.target().resource, "bob", suspended=Suspending(scale_in=True))
    world.deployed(
        productionVariants=GREEN, autoscalingMinCapacity=None, autoscalingMaxCapacity=None
    )
    target = world.target()
    assert (target.least, target.most) == (1, 4)
    assert target.suspended == Suspended(scale_in=True)


def test_variants_that_go_and_those_told_so_are_scaled_no_more(world):
    blue, green = a_variant_of(VariantName="blue"), a_variant_of(VariantName="green")
    world.deployed(productionVariants=[blue, green])
    world.deployed(productionVariants=[blue], scaling={"blue": None})
    for name in ("blue", "green"):
        with pytest.raises(ScalableTargetNotFound):
            world.target(name)


def test_scaling_is_per_variant_by_name(world):
    variants = [a_variant_of(VariantName="blue"), a_variant_of(VariantName="green")]
    policy = {
        "TargetValue": 70,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
    }
    world.deployed(
        productionVariants=variants,
        scaling={
            "green": {
                "autoscalingMaxCapacity": 8,
                "targetTrackingScalingPolicyConfiguration": policy,
            }
        },
    )
    assert world.target("blue").most == 4
    assert world.target("green").most == 8
    tracking = world.scaling.policy(Resource(NAME, "green"), POLICY).tracking
    assert (tracking.target, tracking.out_cooldown) == (70.0, 300)


def test_an_endpoint_that_sleeps_is_woken_first(world):
    world.deployed(sleep={"after_minutes": 5})
    lease = world.book.get(NAME)
    world.book.put(replace(lease, asleep_at=NOW), an_event("lease.slept"))
    deployment = world.begin(productionVariants=GREEN)
    for _ in range(3):
        world.walk.advance(deployment.id)
    assert world.deployments.get(deployment.id).step.text == "it sleeps, and is being woken"
    assert world.book.get(NAME).wanted_at is not None


def test_one_that_cannot_be_woken_is_not_waited_for(world):
    world.deployed()
    world.book.put(replace(world.book.get(NAME), asleep_at=NOW), an_event("lease.slept"))
    world.hosting.place(replace(world.hosting.endpoints()[NAME], asleep=True))
    world.waking.ask = lambda *_, **__: False
    failed = world.finish(world.begin(productionVariants=GREEN))
    assert failed.reason.startswith("look: endpoint 'falcon' sleeps, and could not be woken")


def test_sleep_is_settled_with_the_lease(world):
    world.deployed(sleep={"after_minutes": 5, "hold_seconds": 20})
    sleep = world.terms.get(NAME).sleep
    assert replace(sleep, since=None) == Sleep(after=minutes(5), hold=seconds(20))


# -- failures -------------------------------------------------------------------------------------


def test_a_failed_update_leaves_the_old_config_and_scaling_and_removes_what_it_made(world):
    first = world.deployed()
    world.scaling.put_policy(
        world.target().resource,
        "mine",
        "bob",
        tracking=Tracking(target=9.0, metric=Predefined.INVOCATIONS_PER_INSTANCE),
    )
    before = replace(world.target(), version=0)
    deployment = world.begin(productionVariants=GREEN, autoscalingMaxCapacity=9)
    world.go(deployment)
    world.provisioner.turn_back(NAME, "no ping")
    failed = world.finish(deployment)
    assert failed.status is Status.FAILED
    assert failed.reason.startswith("check: ")
    assert "no ping" in failed.reason
    assert world.config_of() == first.config_name
    assert world.configs() == [first.config_name]
    assert replace(world.target(), version=0) == before
    policies = world.scaling.policies(world.target().resource).records
    assert {each.name: each.tracking.target for each in policies} == {"mine": 9.0, POLICY: 5000.0}
    assert [kind for kind, _ in outline(failed)][-4:] == [
        "roll_back",
        "scaling_back",
        "clean_up",
        "notify",
    ]


def test_a_creation_that_fails_leaves_nothing(world):
    deployment = world.begin(tags={"team": "blue"})
    world.go(deployment)
    world.hosting.fail(NAME, "no ping")
    failed = world.finish(deployment)
    assert failed.status is Status.FAILED
    assert "no ping" in failed.reason
    assert world.status() is None
    assert world.book.all().leases == ()
    assert world.configs() == []
    assert world.catalog.tags("endpoint", NAME) == {}
    with pytest.raises(ScalableTargetNotFound):
        world.target()


def test_a_creation_without_a_lease_that_fails_leaves_nothing(world):
    deployment = world.begin(metered=False)
    world.go(deployment)
    world.hosting.fail(NAME, "no ping")
    assert world.finish(deployment).status is Status.FAILED
    assert (world.status(), world.configs()) == (None, [])


def test_a_creation_that_hosting_refuses_fails_at_once_with_its_reason(world):
    deployment = world.begin()
    world.hosting.refuse("create", NAME, ResourceLimitExceeded("2 of 2 workers are taken"))
    failed = world.finish(deployment)
    assert failed.status is Status.FAILED
    assert "2 of 2 workers are taken" in failed.reason
    assert world.book.all().leases == ()


def test_a_lease_that_was_over_is_over_again_with_its_former_config(world):
    first = world.deployed()
    world.meter.stop(NAME, actor="ann")
    world.rest()
    before = world.catalog.tags("endpoint", NAME)
    deployment = world.begin(productionVariants=GREEN, tags={"team": "green"})
    world.go(deployment)
    world.hosting.fail(NAME, "no ping")
    world.finish(deployment)
    assert world.catalog.tags("endpoint", NAME) == before
    lease = world.book.get(NAME)
    assert (lease.ended, lease.config_name) == (EndReason.STOPPED, first.config_name)
    assert world.status() is None


def test_a_lease_that_runs_out_in_the_midst_of_an_update_is_the_reason_that_is_told(world):
    world.deployed(minutes=30)
    update = world.begin(productionVariants=GREEN)
    world.go(update)
    assert world.hosting.endpoints()[NAME].status is EndpointStatus.UPDATING
    world.clock.advance(minutes(31))
    failed = world.finish(update)
    assert failed.status is Status.FAILED
    assert "is over (expired) before it was up" in failed.reason
    assert "more minutes" in failed.reason
    assert NAME not in world.hosting.endpoints()
    assert update.config_name not in world.configs()


def test_a_failure_after_the_switch_updates_back(world):
    first = world.deployed()

    class Broken:
        """Scaling that cannot be put on for the new bounds."""

        def __getattr__(self, name):
            return getattr(world.scaling, name)

        def register(self, resource, actor, *, most=None, **given):
            if most == 9:
                raise InvalidInput("9 is too many", field="MaxCapacity")
            return world.scaling.register(resource, actor, most=most, **given)

    desk = world.a_desk(scaling=Broken())
    deployment = world.begin(productionVariants=GREEN, autoscalingMaxCapacity=9)
    walk = Walk(desk)
    world.go(deployment, walk=walk)
    world.arrive()
    while world.deployments.get(deployment.id).begun_step(StepKind.ROLL_BACK) is None:
        walk.advance(deployment.id)
    world.rest()  # the lease follows the new config, which is in service
    assert world.book.get(NAME).config_name != first.config_name
    while not (failed := world.deployments.get(deployment.id)).over:
        walk.advance(deployment.id)
        world.arrive()
    assert failed.status is Status.FAILED
    assert failed.reason == "scaling_on: 9 is too many"
    assert world.config_of() == first.config_name
    assert world.configs() == [first.config_name]
    assert world.book.get(NAME).config_name == first.config_name
    assert (world.target().most, world.target().suspended) == (4, Suspended())


def test_an_update_that_failed_while_control_was_away_is_not_begun_again(world):
    world.deployed()
    deployment = world.begin(productionVariants=GREEN)
    while world.deployments.get(deployment.id).begun_step(StepKind.BRING_UP) is None:
        world.walk.advance(deployment.id)
    put, world.deployments.put = world.deployments.put, _gone
    with pytest.raises(Crash):
        world.walk.advance(deployment.id)
    world.deployments.put = put
    world.clock.advance(seconds(1))
    world.provisioner.turn_back(NAME, "no ping")
    failed = world.finish(deployment)
    assert "no ping" in failed.reason
    assert world.provisioner.calls.count("update") == 1


def _gone(*_):
    raise Crash


def test_a_config_that_was_there_before_survives_a_failure(world):
    first = world.deployed()
    second = world.deployed(productionVariants=GREEN)
    deployment = world.begin()
    assert world.go(deployment).config_name == first.config_name
    world.provisioner.turn_back(NAME, "no ping")
    assert world.finish(deployment).status is Status.FAILED
    assert world.configs() == sorted([first.config_name, second.config_name])


def test_what_hosting_refused_before_is_started_from_the_new_config(world):
    first = world.deployed()
    world.meter.stop(NAME, actor="ann")
    world.rest()
    world.meter.start(NAME, amount=minutes(30), actor="ann")
    world.hosting.refuse("create", NAME, ResourceLimitExceeded("no room"))
    world.sweep.run()
    world.clock.advance(minutes(1))
    world.sweep.run()
    assert (world.book.get(NAME).retries, world.book.get(NAME).failure) == (1, "no room")
    world.hosting.refuse("create", NAME, None)
    deployment = world.deployed(productionVariants=GREEN)
    lease = world.book.get(NAME)
    assert (lease.retries, lease.config_name) == (0, deployment.config_name)
    assert deployment.config_name != first.config_name


def test_the_policy_that_was_put_beside_others_is_taken_off_again(world):
    world.deployed(autoscalingMinCapacity=None, autoscalingMaxCapacity=None)
    resource = Resource(NAME, "AllTraffic")
    world.scaling.register(resource, "bob", least=1, most=2)
    desk = world.a_desk()
    deployment = world.begin(productionVariants=GREEN, sleep={"after_minutes": 5})

    def refuse(*_):
        raise InvalidInput("never", field="sleep")

    world.terms.change = refuse
    failed = world.finish(deployment, walk=Walk(desk))
    assert failed.reason == "settle: never"
    assert world.target().most == 2
    assert world.scaling.policies(resource).records == ()


def test_a_config_that_was_booked_meanwhile_is_not_removed(world):
    world.deployed()
    deployment = world.begin(productionVariants=GREEN)
    config_name = world.go(deployment).config_name
    world.booking_store.add(
        Booking(
            id="b-1",
            endpoint_name="other",
            config_name=config_name,
            owner="bob",
            starts_at=NOW + minutes(60),
            ends_at=NOW + minutes(90),
            made_at=NOW,
        ),
        an_event("booking.added"),
        beside=frozenset(),
    )
    world.provisioner.turn_back(NAME, "no ping")
    failed = world.finish(deployment)
    assert failed.begun_step(StepKind.CLEAN_UP).outcome == "failed"
    assert config_name in world.configs()


def test_waiting_has_a_limit(world):
    first = world.deployed()
    deployment = world.begin(productionVariants=GREEN, maxWaitMinutes=5)
    world.go(deployment)
    world.clock.advance(minutes(5))
    failed = world.finish(deployment)
    assert failed.status is Status.FAILED
    assert "after 5 min (maxWaitMinutes)" in failed.reason
    assert "roll_back" in world.provisioner.calls
    assert world.config_of() == first.config_name


def test_somebody_elses_update_in_between_is_not_written_over(world):
    world.deployed()
    deployment = world.begin(productionVariants=GREEN)
    while world.deployments.get(deployment.id).begun_step(StepKind.BRING_UP) is None:
        world.walk.advance(deployment.id)
    present = world.hosting.endpoints()[NAME]
    world.catalog.add_config(
        replace(world.catalog.config(present.config_name), name="theirs"), an_event()
    )
    world.hosting.place(replace(present, config_name="theirs"))
    failed = world.finish(deployment)
    assert failed.status is Status.FAILED
    assert "somebody else updated" in failed.reason
    assert world.config_of() == "theirs"


def test_a_model_that_is_not_there_is_said_before_anything_is_made(world):
    failed = world.finish(world.begin(productionVariants=[a_variant_of(ModelName="none")]))
    assert failed.status is Status.FAILED
    assert "'none'" in failed.reason
    assert world.provisioner.calls == []


def test_a_bug_makes_a_deployment_fail_and_not_control(world, caplog):
    def look(name):
        raise ZeroDivisionError("division by zero")

    begun = world.begin()
    world.provisioner.look = look
    failed = world.finish(begun)
    assert failed.status is Status.FAILED
    assert "a fault of Parkade's own: ZeroDivisionError" in failed.reason
    assert "division by zero" in caplog.text


# -- temporary errors -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        Throttled("slow down", retry_after=seconds(1)),
        Unavailable("not now"),
        EndpointBusy("it is Updating"),
    ],
)
def test_what_is_temporary_is_tried_again_with_growing_pauses(world, error):
    world.deployed()
    deployment = world.begin(productionVariants=GREEN)
    world.provisioner.refuse("update", error)
    pauses = []
    for _ in range(3):
        current = world.go(deployment)
        pauses.append(current.step.retries[-1].pause)
        assert current.step.kind is StepKind.BRING_UP
        world.clock.advance(pauses[-1])
    assert pauses == [seconds(2), seconds(4), seconds(8)]
    world.provisioner.refuse("update", None)
    done = world.finish(deployment)
    assert done.status is Status.SUCCEEDED
    retries = done.begun_step(StepKind.BRING_UP).retries
    assert [each.error for each in retries] == [error.message] * 3
    assert len(world.events(NAME, "deployment.retried")) == 3


def test_it_is_given_up_after_so_many_tries(world):
    first = world.deployed()
    deployment = world.begin(productionVariants=GREEN)
    world.provisioner.refuse("update", Unavailable("not now"))
    for _ in range(RETRIES.attempts):
        current = world.go(deployment)
        world.clock.advance(current.step.retries[-1].pause)
    failed = world.finish(deployment)
    assert failed.status is Status.FAILED
    assert f"(tried {RETRIES.attempts + 1} times)" in failed.reason
    assert world.config_of() == first.config_name


def test_a_pause_is_kept_whatever_changes_meanwhile_but_not_after_resume(world):
    deployment = world.begin()
    world.provisioner.refuse("look", Unavailable("not now"))
    world.go(deployment)
    world.provisioner.refuse("look", None)
    assert world.go(deployment).step.retries, "its pause is not over"
    world.deployer.resume(deployment.id, "bob")
    assert world.finish(deployment).status is Status.SUCCEEDED


def test_what_asks_for_a_longer_pause_gets_it(world):
    deployment = world.begin()
    world.provisioner.refuse("look", Throttled("slow down", retry_after=minutes(3)))
    assert world.go(deployment).step.retries[-1].pause == minutes(3)


# -- one at a time, called off, resumed -----------------------------------------------------------


def test_a_second_deployment_of_an_endpoint_is_refused_and_names_the_first(world):
    first = world.begin()
    with pytest.raises(InUse, match=first.id):
        world.begin(productionVariants=GREEN)
    world.finish(first)
    world.deployed(productionVariants=GREEN)


def test_the_same_key_begins_one_deployment(world):
    first = world.deployer.begin(an_order(), "ann", key="k")
    assert world.deployer.begin(an_order(), "ann", key="k") == first
    with pytest.raises(Conflict, match="Idempotency-Key"):
        world.deployer.begin(an_order(minutes=5), "ann", key="k")
    for coroutine in world.spawned:
        coroutine.close()


def test_one_that_is_called_off_undoes_what_it_began(world):
    first = world.deployed()
    deployment = world.begin(productionVariants=GREEN)
    world.go(deployment)
    world.deployer.cancel(deployment.id, "bob")
    cancelled = world.finish(deployment)
    assert cancelled.status is Status.CANCELLED
    assert cancelled.reason == "wait: bob called it off"
    assert world.config_of() == first.config_name
    assert world.configs() == [first.config_name]
    assert world.target().suspended == Suspended()
    assert "bob called it off" in world.told()[-1]


def test_one_that_is_called_off_too_late_to_turn_back_is_updated_back(world):
    first = world.deployed()
    deployment = world.begin(productionVariants=GREEN)
    world.go(deployment)
    world.deployer.cancel(deployment.id, "bob")
    world.provisioner.refuse("roll_back", Conflict("all requests have gone over"))
    assert world.finish(deployment).status is Status.CANCELLED
    assert world.config_of() == first.config_name
    assert world.provisioner.calls.count("update") == 2


def test_what_is_over_is_neither_called_off_nor_resumed(world):
    deployment = world.deployed()
    for call in (world.deployer.cancel, world.deployer.resume):
        with pytest.raises(Conflict, match="is over"):
            call(deployment.id, "bob")


def test_one_that_cannot_be_read_is_forgotten_when_called_off(world):
    deployment = world.begin()
    world.deployments.damage(deployment.id, "it is torn")
    with pytest.raises(InUse):
        world.begin()
    with pytest.raises(Unreadable):
        world.deployer.resume(deployment.id, "bob")
    assert world.deployer.cancel(deployment.id, "bob") is None
    world.deployed()


def test_nobody_goes_on_with_what_was_forgotten(world):
    async def forget():
        tasks = []
        world._spawn = lambda coroutine: tasks.append(asyncio.ensure_future(coroutine))
        deployer = world.a_deployer()
        begun = deployer.begin(an_order(), "ann")
        world.deployments.remove(begun.id, an_event())
        await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE)

    asyncio.run(forget())


def test_the_new_fleet_takes_all_or_the_old_one_by_order(world):
    world.deployed()
    deployment = world.begin(
        productionVariants=GREEN, strategy={"kind": "canary", "percent": 10, "waitSeconds": 600}
    )
    with pytest.raises(Conflict, match="no update is under way"):
        world.deployer.promote(deployment.id, "bob")
    world.go(deployment)
    assert world.provisioner.strategies[NAME].kind == "CANARY"
    world.deployer.promote(deployment.id, "bob")
    assert world.provisioner.calls[-1] == "promote"
    world.deployer = world.a_deployer()
    world.deployer.roll_back(deployment.id, "bob")
    failed = world.finish(deployment)
    assert failed.status is Status.FAILED
    assert "bob rolled it back" in failed.reason


def test_who_steers_an_endpoint_steers_the_deployment_that_waits_for_its_update(world):
    world.deployed()
    steering = Steering(world.desk, world.deployer)
    deployment = world.begin(productionVariants=GREEN)
    with pytest.raises(Conflict, match="no update of endpoint 'falcon' is under way"):
        steering.promote(NAME, "bob")
    world.go(deployment)
    steering.promote(NAME, "bob")
    [told] = world.events(NAME, "deployment.promoted")
    assert (told.actor, told.data["deployment"]) == ("bob", deployment.id)
    steering.roll_back(NAME, "bob")
    assert len(world.events(NAME, "deployment.rolled_back")) == 1
    assert world.finish(deployment).status is Status.FAILED


def test_an_update_of_somebody_else_is_steered_without_a_deployment(world):
    first = world.deployed()
    steering = Steering(world.desk, world.deployer)
    for call in (steering.promote, steering.roll_back):
        with pytest.raises(EndpointNotFound):
            call("nonesuch", "bob")
        with pytest.raises(Conflict):
            call(NAME, "bob")
    world.provisioner.update(NAME, first.config_name, "ann", strategy=Strategy(), keeps_counts=True)
    # One that waits for it to be over has nothing to do with it.
    waiting = world.begin(productionVariants=GREEN)
    world.go(waiting)
    steering.promote(NAME, "bob")
    assert world.provisioner.calls[-1] == "promote"
    steering.roll_back(NAME, "bob")
    assert world.provisioner.look(NAME).observed.failure_reason == "bob rolled it back: by hand"
    assert world.events(NAME, "deployment.promoted", "deployment.rolled_back") == []


# -- what is left behind --------------------------------------------------------------------------


def test_the_last_three_configs_stay_and_no_others(world):
    names = []
    for number in range(6):
        world.catalog.add_model(a_model(f"m{number}"), an_event())
        names.append(
            world.deployed(productionVariants=[a_variant_of(ModelName=f"m{number}")]).config_name
        )
    assert world.configs() == sorted(names[-3:])


def test_a_config_that_something_needs_stays_however_old(world):
    names = []
    for number in range(6):
        world.catalog.add_model(a_model(f"m{number}"), an_event())
        deployment = world.deployed(productionVariants=[a_variant_of(ModelName=f"m{number}")])
        names.append(deployment.config_name)
        if number == 0:
            world.hosting.place(an_endpoint(name="other", config_name=names[0]))
    assert world.configs() == sorted([names[0], *names[-3:]])


def test_where_a_booking_cannot_be_read_no_config_is_removed(world):
    world.booking_store.damage("b-1", "it is torn")
    for number in range(5):
        world.catalog.add_model(a_model(f"m{number}"), an_event())
        deployment = world.deployed(productionVariants=[a_variant_of(ModelName=f"m{number}")])
    assert len(world.configs()) == 5
    assert deployment.begun_step(StepKind.TIDY).outcome == "failed"


def test_a_config_of_another_endpoints_lease_stays(world):
    first = world.deployed()
    world.meter.add("other", first.config_name, amount=None, owner="bob", actor="bob")
    for number in range(5):
        world.catalog.add_model(a_model(f"m{number}"), an_event())
        world.deployed(productionVariants=[a_variant_of(ModelName=f"m{number}")])
    assert first.config_name in world.configs()


def test_a_config_that_stays_in_use_is_not_waited_for(world):
    world.deployed()
    deployment = world.begin(productionVariants=GREEN)
    config_name = world.go(deployment).config_name
    world.hosting.place(an_endpoint(name="other", config_name=config_name))
    world.provisioner.turn_back(NAME, "no ping")
    failed = world.finish(deployment)
    assert failed.begun_step(StepKind.CLEAN_UP).outcome == "failed"
    assert "in use by endpoint 'other'" in world.told()[-1]
    world.hosting.vanish("other")
    world.deployed(autoscalingMaxCapacity=9)
    assert config_name not in world.configs(), "the next one removes what never served"


def test_configs_of_other_people_are_never_removed(world):
    first = world.deployed()
    config = world.catalog.config(first.config_name)
    world.catalog.add_config(replace(config, name="theirs"), an_event())
    for number in range(5):
        world.catalog.add_model(a_model(f"m{number}"), an_event())
        world.deployed(productionVariants=[a_variant_of(ModelName=f"m{number}")])
    assert "theirs" in world.configs()


# -- words ----------------------------------------------------------------------------------------


def test_success_and_failure_are_told_once_each(world):
    first = world.deployed()
    assert world.told() == [
        f"deployment {first.id} of falcon succeeded: {first.config_name} serves"
    ]
    deployment = world.begin(productionVariants=GREEN)
    world.go(deployment)
    world.provisioner.turn_back(NAME, "no ping")
    world.finish(deployment)
    assert len(world.told()) == 2
    assert f"{first.config_name} serves on" in world.told()[1]
    kinds = {each.kind for each in world.events(NAME) if each.kind.startswith("deployment.")}
    assert kinds == {
        "deployment.begun",
        "deployment.step",
        "deployment.succeeded",
        "deployment.failed",
    }


# -- rehearsal ------------------------------------------------------------------------------------


def test_a_rehearsal_changes_nothing_and_says_what_would_be_done(world):
    before = len(world.events())
    told = world.deployer.rehearse(an_order(minutes=90), "ann")
    assert len(world.events()) == before
    assert (told.creates, told.problems) == (True, ())
    assert told.config_name == world.deployed(minutes=90).config_name
    assert [each.kind for each in told.planned] == [
        "look", "config", "bring_up", "wait", "check", "scaling_on", "settle", "tidy", "notify",
    ]  # fmt: skip
    assert "1 h 30 min bought for ann" in told.planned[2].text


def test_a_rehearsal_prices_both_fleets_of_an_update(world):
    types = [a_variant_of(InstanceType="ml.g5.xlarge")]
    world.deployed(productionVariants=types)
    world.scale(2)
    order = an_order(productionVariants=[{**types[0], "ModelName": "green"}], minutes=60)
    told = world.deployer.rehearse(order, "ann")
    assert str(told.prices.before) == "1.20 USD"
    assert str(told.prices.meanwhile) == "2.40 USD"
    assert str(told.prices.after) == "1.20 USD"
    assert told.quote == "1 h of AllTraffic 2 x ml.g5.xlarge: 1.20 USD"


def test_a_rehearsal_says_all_that_is_wrong(world):
    running = world.begin()
    told = world.deployer.rehearse(
        an_order(productionVariants=[a_variant_of(ModelName="none")]), "ann"
    )
    said = " ".join(each.message for each in told.problems)
    assert running.id in said
    assert "'none'" in said
    world.leases_only = True
    told = world.deployer.rehearse(an_order(metered=False), "ann")
    assert "no endpoint without a lease" in told.problems[0].message


#: 0.60 USD an hour.
PRICED = [a_variant_of(InstanceType="ml.g5.xlarge")]


def refused(world, **changes):
    """What a rehearsal says is wrong; an order that is begun is refused with the same words."""
    order = an_order(**changes)
    told = world.deployer.rehearse(order, "ann").problems
    if not told:
        world.deployer.begin(order, "ann")
        return ""
    before = len(world.events())
    with pytest.raises((InvalidInput, BudgetExceeded)) as caught:
        world.deployer.begin(order, "ann")
    [problem] = told
    assert (problem.message, problem.hint) == (caught.value.message, caught.value.hint)
    assert len(world.events()) == before
    assert world.deployer.all().records == ()
    return problem.message


def test_more_time_than_may_be_bought_is_refused_before_anything_is_done(world):
    most = int(world.rules.max_ahead / minutes(1))
    assert "more than" in refused(world, minutes=most + 1)
    assert refused(world, minutes=most) == ""


def test_what_a_running_lease_has_left_counts(world):
    world.deployed(minutes=30)
    most = int(world.rules.max_ahead / minutes(1))
    told = world.deployer.rehearse(an_order(productionVariants=GREEN, minutes=most - 20), "ann")
    assert "more than" in told.problems[0].message
    with pytest.raises(InvalidInput, match="minutes ahead"):
        world.begin(productionVariants=GREEN, minutes=most - 20)
    assert world.deployer.rehearse(an_order(productionVariants=GREEN), "ann").problems == ()


def test_more_than_is_left_of_the_budget_is_refused_before_anything_is_done(world):
    world.money.budgets.put(a_budget("0.50"), actor="ann")
    said = refused(world, productionVariants=PRICED, minutes=60)
    assert said.startswith("1 h more would cost 0.60 USD")
    told = world.deployer.rehearse(an_order(productionVariants=PRICED, minutes=60), "ann")
    assert (
        told.quote
        == "1 h of AllTraffic 1 x ml.g5.xlarge: 0.60 USD, 0.10 USD more than is left this week"
    )
    assert refused(world, productionVariants=PRICED, minutes=50) == ""


def test_a_budget_that_only_warns_refuses_nothing(world):
    world.money.budgets.put(a_budget("0.50", then="warn"), actor="ann")
    assert refused(world, productionVariants=PRICED, minutes=60) == ""


def test_each_day_of_what_is_bought_is_held_to_its_own_budget():
    """From noon on 12 hours are 7.20 USD today, and one more is 0.60 tomorrow."""
    world = DeployWorld(max_ahead=minutes(24 * 60))
    world.money.budgets.put(a_budget("7.50", per="day"), actor="ann")
    assert refused(world, productionVariants=PRICED, minutes=13 * 60) == ""


def test_what_is_refused_is_not_refused_for_a_request_that_is_repeated(world):
    order = an_order(productionVariants=PRICED, minutes=50)
    world.money.budgets.put(a_budget("0.50"), actor="ann")
    begun = world.deployer.begin(order, "ann", key="once")
    world.finish(begun)
    assert world.deployer.begin(order, "ann", key="once").id == begun.id


def test_statuses_of_hosting_are_waited_for(world):
    world.deployed()
    world.hosting.enter(NAME, EndpointStatus.SYSTEM_UPDATING)
    deployment = world.begin(productionVariants=GREEN)
    assert world.go(deployment).step.text == "it is SystemUpdating"
    world.hosting.settle(NAME)
    assert world.finish(deployment).status is Status.SUCCEEDED


def test_a_model_that_goes_before_the_update_is_permanent(world):
    world.deployed()
    world.provisioner.refuse("update", ModelNotFound("there is no model 'green'"))
    failed = world.finish(world.begin(productionVariants=GREEN))
    assert failed.reason == "bring_up: there is no model 'green'"
    assert failed.begun_step(StepKind.BRING_UP).retries == ()
