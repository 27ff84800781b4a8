"""Endpoints of a project: made, changed in the least way that does, made ready, removed."""

from dataclasses import replace
from decimal import Decimal

import pytest

from parkade.domain.deploy.deployment import Status
from parkade.domain.errors import Conflict, EndpointBusy, InvalidInput, ScalableTargetNotFound
from parkade.domain.price import Machine, Sum
from parkade.domain.project.project import PROJECT_TAG, Project
from parkade.domain.scaling.target import Resource
from parkade.domain.terms import Booking, Keep, Sleep
from parkade.domain.watching import Watched
from parkade.services.projects.keeper import Stage
from tests.builders import a_config, a_variant, an_event, minutes, seconds
from tests.services.deployworld import a_variant_of, an_order
from tests.services.keeperworld import (
    NAME,
    PREFIX,
    PROJECT,
    SCALED,
    KeeperWorld,
    a_model_part,
    an_endpoint,
)

GREEN = {"productionVariants": [a_variant_of(ModelName="green")]}
BOTH = [
    a_variant_of(VariantName="blue"),
    a_variant_of(VariantName="green", ModelName="green"),
]
PLAIN = {"blue": None, "green": None}
CAPTURE = {"InitialSamplingPercentage": 100, "DestinationS3Uri": "s3://captured/text"}
ASYNC = {
    "OutputConfig": {"S3OutputPath": "s3://answers/text", "S3FailurePath": "s3://failures/text"}
}
RESOURCE = Resource(NAME, "AllTraffic")


@pytest.fixture
def world():
    return KeeperWorld()


def left(world):
    return world.book.get(NAME).time_left(world.clock.now())


# -- what runs ------------------------------------------------------------------------------------


def test_creating_buys_the_minutes_and_applying_again_does_nothing(world):
    part = an_endpoint(minutes=45, owner="bob")
    assert world.differs(part) is None
    assert world.apply(part)
    assert (world.book.get(NAME).owner, left(world)) == ("bob", minutes(45))
    calls = list(world.provisioner.calls)
    world.clock.advance(minutes(10))
    assert not world.apply(part)
    assert world.provisioner.calls == calls
    assert left(world) == minutes(35)


def test_all_that_is_made_carries_the_project(world):
    world.apply(an_endpoint(tags={"team": "nlp"}))
    for kind, name in (("endpoint", NAME), ("endpoint-config", world.config_of(NAME))):
        tags = world.catalog.tags(kind, name)
        assert (tags[PROJECT_TAG], tags["team"]) == (PREFIX, "nlp")


def test_a_change_is_a_deployment_with_its_strategy_and_buys_nothing(world):
    world.apply(an_endpoint(minutes=45))
    world.clock.advance(minutes(10))
    strategy = {"kind": "canary", "percent": 10, "waitSeconds": 60}
    part = an_endpoint(minutes=45, strategy=strategy, **GREEN)
    assert world.differs(part) == ["productionVariants[AllTraffic].ModelName"]
    assert world.apply(part)
    assert left(world) == minutes(35)
    assert str(world.provisioner.strategies[NAME].kind).lower() == "canary"
    assert world.book.get(NAME).config_name == world.config_of(NAME)


def test_a_strategy_and_other_minutes_are_no_difference(world):
    world.apply(an_endpoint(minutes=45))
    assert not world.apply(
        an_endpoint(minutes=90, maxWaitMinutes=5, strategy={"kind": "canary", "percent": 10})
    )


def test_weights_are_changed_on_the_fleet_that_serves(world):
    world.apply(an_endpoint(productionVariants=BOTH, scaling=PLAIN))
    heavier = [{**BOTH[0], "InitialVariantWeight": 9}, BOTH[1]]
    part = an_endpoint(productionVariants=heavier, scaling=PLAIN)
    assert world.differs(part) == ["productionVariants[blue].InitialVariantWeight"]
    assert world.apply(part)
    assert world.weights() == {"blue": 9.0, "green": 1.0}
    assert "update" not in world.provisioner.calls


def test_scaling_is_switched_while_it_serves_without_a_deployment(world):
    world.apply(an_endpoint())
    config, made = world.config_of(NAME), len(world.deployments.all().records)
    on = an_endpoint(scaling={"AllTraffic": SCALED})
    assert world.differs(on) == ["scaling.AllTraffic"]
    assert world.apply(on)
    assert (world.scaling.target(RESOURCE).most, len(world.scaling.policies().records)) == (4, 1)
    assert world.apply(an_endpoint())
    with pytest.raises(ScalableTargetNotFound):
        world.scaling.target(RESOURCE)
    assert (world.config_of(NAME), len(world.deployments.all().records)) == (config, made)
    assert world.configs_of() == [config]


def test_counts_that_scaling_has_changed_go_on(world):
    part = an_endpoint(scaling={"AllTraffic": SCALED})
    world.apply(part)
    world.provisioner.scale(NAME, "AllTraffic", 3)
    assert not world.apply(part)
    world.apply(replace(part, content={**part.content, **GREEN}))
    assert world.runs().blueprint.config.variants[0].instance_count == 3


def test_counts_are_those_of_the_file_where_nothing_scales(world):
    def of(count, **more):
        content = {"keepsCounts": False, **more}
        return an_endpoint(productionVariants=[a_variant_of(InitialInstanceCount=count)], **content)

    world.apply(of(1))
    made = len(world.deployments.all().records)
    assert world.differs(of(3)) == ["productionVariants[AllTraffic].InitialInstanceCount"]
    world.apply(of(3))
    assert world.runs().blueprint.config.variants[0].instance_count == 3
    world.provisioner.scale(NAME, "AllTraffic", 2)
    assert world.apply(of(3))  # by hand, which the file does not say
    assert world.runs().blueprint.config.variants[0].instance_count == 3
    assert len(world.deployments.all().records) == made + 2
    scaled = of(1, scaling={"AllTraffic": SCALED})
    world.apply(scaled)
    world.provisioner.scale(NAME, "AllTraffic", 2)
    assert not world.apply(scaled)


def test_one_that_is_scaled_to_none_rests_until_nothing_scales_it_out_any_more(world):
    none = {"AllTraffic": {**SCALED, "autoscalingMinCapacity": 0}}
    part = an_endpoint(AsyncInferenceConfig=ASYNC, scaling=none)
    world.apply(part)
    world.provisioner.scale(NAME, "AllTraffic", 0)
    assert not world.apply(part)
    world.apply(an_endpoint(AsyncInferenceConfig=ASYNC, scaling=none, **GREEN))
    assert world.runs().blueprint.config.variants[0].instance_count == 0
    world.apply(an_endpoint(AsyncInferenceConfig=ASYNC, **GREEN))
    assert world.runs().blueprint.config.variants[0].instance_count == 1


def test_what_the_content_does_not_speak_of_stays_as_people_have_it(world):
    world.apply(an_endpoint())
    world.provisioner.tag(NAME, {**world.provisioner.tags(NAME), "mine": "yes"}, "bob")
    sleep = Sleep(after=minutes(20))
    world.terms.change(NAME, "bob", lambda held: replace(held, sleep=sleep))
    assert not world.apply(an_endpoint())
    assert world.apply(an_endpoint(sleep=None))
    assert world.terms.get(NAME) is None


def test_what_people_changed_that_the_content_speaks_of_is_put_back(world):
    part = an_endpoint(keep={"by_minutes": 10, "when_left_minutes": 5, "at_most_minutes": 60})
    world.apply(part)
    kept = world.terms.get(NAME).keep
    assert kept == Keep(by=minutes(10), when_left=minutes(5), at_most=minutes(60))
    world.terms.change(NAME, "bob", lambda held: replace(held, keep=None))
    assert world.differs(part) == ["keep"]
    world.apply(part)
    assert world.terms.get(NAME).keep == kept


@pytest.mark.parametrize("deployed", [True, False])
def test_what_was_said_before_and_is_said_no_more_is_taken_away(world, deployed):
    """A line that is taken out of the file is taken away; one that never was there is not."""
    said = an_endpoint(
        DataCaptureConfig=CAPTURE,
        sleep={"after_minutes": 10},
        tags={PROJECT_TAG: PREFIX, "team": "nlp"},
    )
    world.apply(said)
    world.applied = replace(PROJECT, parts=(said,))
    world.provisioner.tag(NAME, {**world.provisioner.tags(NAME), "mine": "yes"}, "bob")
    if not deployed:
        world.expire()
    silent = an_endpoint()
    assert world.differs(silent) == ["DataCaptureConfig", "sleep", "tags.team"]
    assert world.apply(silent)
    assert world.terms.get(NAME) is None
    tags = world.provisioner.tags(NAME)
    assert ("team" in tags, tags["mine"]) == (False, "yes")
    assert world.catalog.config(world.book.get(NAME).config_name).capture is None
    world.applied = replace(PROJECT, parts=(silent,))
    assert not world.apply(silent)


def test_all_terms_are_settled_without_a_deployment(world):
    world.apply(an_endpoint())
    made = len(world.deployments.all().records)
    part = an_endpoint(
        schedule="mon-fri 09:00-17:00 Europe/Berlin",
        maintain={"watch": "on", "stop_after": 7, "notice_after": None},
        sleep={"after_minutes": 10, "pauses": True, "hold_seconds": 30},
        wake={"minutes": 10, "at_most_minutes": 60},
    )
    assert world.apply(part)
    terms = world.terms.get(NAME)
    assert (terms.maintain, terms.idle.stop_after, terms.idle.notice_after) == (True, 7, None)
    assert terms.schedule == "mon-fri 09:00-17:00 Europe/Berlin"
    assert (terms.sleep.after, terms.wake.minutes) == (minutes(10), minutes(10))
    assert len(world.deployments.all().records) == made


def test_terms_do_not_wake_what_sleeps(world):
    world.apply(an_endpoint())
    world.book.put(
        replace(world.book.get(NAME), asleep_at=world.clock.now()), an_event("lease.slept")
    )
    world.hosting.place(replace(world.hosting.endpoints()[NAME], asleep=True))
    world.apply(an_endpoint(wake={"minutes": 10, "at_most_minutes": 60}, tags={"a": "b"}))
    assert world.book.get(NAME).wanted_at is None


@pytest.mark.parametrize(
    ("key", "given"), [("DataCaptureConfig", CAPTURE), ("AsyncInferenceConfig", ASYNC)]
)
def test_capture_and_async_are_put_on_and_taken_off(world, key, given):
    world.apply(an_endpoint())
    part = an_endpoint(**{key: given})
    assert world.differs(part) == [key]
    world.apply(part)
    assert not world.apply(an_endpoint())
    assert world.apply(an_endpoint(**{key: None}))


def test_a_shadow_is_told_and_taken_off(world):
    shadow = [a_variant_of(VariantName="shade", ModelName="green")]
    world.apply(an_endpoint(ShadowProductionVariants=shadow))
    assert world.apply(an_endpoint(ShadowProductionVariants=None))
    assert world.runs().blueprint.config.shadows == ()


def test_one_without_a_lease_stays_without(world):
    part = an_endpoint(metered=False)
    world.apply(part)
    assert world.book.all().leases == ()
    world.apply(an_endpoint(metered=False, **GREEN))
    assert world.book.all().leases == ()


def test_one_that_others_made_is_told_in_the_same_form(world):
    variant = a_variant(name="AllTraffic", model_name="blue", instance_type="ml.c5.large")
    config = a_config("theirs", variants=(variant,))
    world.provisioner.make_config(config, {}, "bob")
    world.meter.add(NAME, "theirs", amount=minutes(30), owner="bob", actor="bob")
    world.rest()
    assert world.differs(an_endpoint()) == ["tags.environment", f"tags.{PROJECT_TAG}"]
    world.apply(an_endpoint())
    assert world.config_of(NAME) == "theirs"


def test_a_put_that_is_done_again_begins_one_deployment(world):
    part, errand = an_endpoint(minutes=45, scaling={"AllTraffic": SCALED}), world.errand()
    world.endpoints.put(part, errand)
    (running,) = world.deployments.running().records
    world.go(running)
    world.endpoints.put(part, errand)
    assert len(world.deployments.all().records) == 1
    assert world.scaling.targets().records == (), "scaling is the deployment's to put on"
    assert world.endpoints.progress(part, errand).stage is Stage.UNDER_WAY
    world.apply(part, errand=errand)
    world.endpoints.put(part, errand)
    assert len(world.deployments.all().records) == 1
    assert left(world) == minutes(45)


def test_a_deployment_that_fails_says_why_and_leaves_what_served(world):
    world.apply(an_endpoint())
    before, part, errand = world.config_of(NAME), an_endpoint(**GREEN), world.errand()
    world.endpoints.put(part, errand)
    (running,) = world.deployments.running().records
    world.go(running)
    world.provisioner.turn_back(NAME, "no ping")
    world.finish(running, arrive=lambda: world.arrive(NAME))
    progress = world.endpoints.progress(part, errand)
    assert progress.stage is Stage.FAILED
    assert "no ping" in progress.text
    assert world.config_of(NAME) == before


def test_calling_off_undoes_the_deployment(world):
    world.apply(an_endpoint())
    before, part, errand = world.config_of(NAME), an_endpoint(**GREEN), world.errand()
    world.endpoints.put(part, errand)
    (running,) = world.deployments.running().records
    world.go(running)
    for _ in range(2):
        world.endpoints.call_off(part, errand)
    world.finish(running, arrive=lambda: world.arrive(NAME))
    assert world.endpoints.progress(part, errand).stage is Stage.FAILED
    assert world.config_of(NAME) == before


# -- leases that are over -------------------------------------------------------------------------


def test_a_change_of_what_is_over_serves_from_the_next_coin(world):
    world.apply(an_endpoint(minutes=30))
    world.expire()
    assert not world.apply(an_endpoint(minutes=30))
    part = an_endpoint(minutes=30, **GREEN)
    assert world.differs(part) == ["productionVariants[AllTraffic].ModelName"]
    made = len(world.deployments.all().records)
    assert world.apply(part)
    assert world.status(NAME) is None
    assert world.book.get(NAME).over(world.clock.now())
    assert len(world.deployments.all().records) == made
    world.meter.start(NAME, amount=minutes(10), actor="ann")
    world.rest()
    assert world.runs().blueprint.config.variants[0].model_name == "green"
    assert not world.apply(part)


def test_what_is_settled_changes_while_it_is_over(world):
    world.apply(an_endpoint(minutes=30, scaling={"AllTraffic": SCALED}))
    world.expire()
    wake = {"minutes": 10, "at_most_minutes": 60}
    more = {"AllTraffic": {**SCALED, "autoscalingMaxCapacity": 8}}
    assert world.apply(an_endpoint(wake=wake, scaling=more, tags={"team": "x"}))
    assert world.terms.get(NAME).wake.minutes == minutes(10)
    assert world.scaling.target(RESOURCE).most == 8
    assert world.provisioner.tags(NAME)["team"] == "x"
    assert world.status(NAME) is None


@pytest.mark.parametrize("coin", [False, True], ids=["over", "just starting"])
def test_scaling_is_put_on_ahead_of_the_next_start(world, coin):
    world.apply(an_endpoint(minutes=30))
    world.expire()
    if coin:
        world.meter.start(NAME, amount=minutes(10), actor="ann")
    on = an_endpoint(minutes=30, scaling={"AllTraffic": SCALED})
    made = len(world.deployments.all().records)
    assert world.differs(on) == ["scaling.AllTraffic"]
    assert world.apply(on)
    assert len(world.deployments.all().records) == made
    if not coin:
        assert world.status(NAME) is None
        world.meter.start(NAME, amount=minutes(10), actor="ann")
    world.rest()
    assert world.scaling.target(RESOURCE).most == 4
    assert not world.apply(on)


def test_a_lease_that_runs_out_while_it_is_deployed_is_not_revived(world):
    world.apply(an_endpoint(minutes=30))
    part, errand = an_endpoint(minutes=30, **GREEN), world.errand()
    world.endpoints.put(part, errand)
    (running,) = world.deployments.running().records
    world.go(running)
    world.clock.advance(minutes(31))
    world.finish(running, arrive=lambda: world.arrive(NAME))
    progress = world.endpoints.progress(part, errand)
    assert (progress.stage, "next coin" in progress.text) == (Stage.DONE, True)
    assert world.differs(part) == []
    assert world.book.get(NAME).over(world.clock.now())
    world.meter.start(NAME, amount=minutes(10), actor="ann")
    world.rest()
    assert world.runs().blueprint.config.variants[0].model_name == "green"


def test_what_is_called_off_is_not_made_for_the_next_coin_either(world):
    world.apply(an_endpoint(minutes=30))
    before, part, errand = world.config_of(NAME), an_endpoint(minutes=30, **GREEN), world.errand()
    world.endpoints.put(part, errand)
    (running,) = world.deployments.running().records
    world.go(running)
    world.endpoints.call_off(part, errand)
    world.clock.advance(minutes(31))
    world.finish(running, arrive=lambda: world.arrive(NAME))
    assert world.endpoints.progress(part, errand).stage is Stage.FAILED
    assert world.book.get(NAME).config_name == before


def test_old_configs_of_what_never_ran_go(world):
    world.apply(an_endpoint(minutes=30))
    first = world.config_of(NAME)
    world.expire()
    for weight in (2, 3, 4):
        world.apply(an_endpoint(productionVariants=[a_variant_of(InitialVariantWeight=weight)]))
    assert sorted(world.configs_of()) == sorted([first, world.book.get(NAME).config_name])


# -- not brought up -------------------------------------------------------------------------------


def test_what_is_not_brought_up_is_made_ready_and_waits_for_a_coin(world):
    part = an_endpoint(deploy=False, minutes=45)
    assert world.apply(part)
    assert (world.status(NAME), world.book.all().leases) == (None, ())
    (config_name,) = world.configs_of()
    assert not world.apply(part)
    assert world.endpoints.condition(part).state == "ready"
    assert config_name in world.endpoints.condition(part).text


def test_another_content_of_it_is_made_ready_and_the_former_goes(world):
    first = an_endpoint(deploy=False)
    world.apply(first)
    second = an_endpoint(deploy=False, **GREEN)
    assert world.apply(second)
    assert len(world.configs_of()) == 1
    assert world.apply(first)
    assert len(world.configs_of()) == 1
    assert not world.apply(first)


def test_its_tags_are_those_of_its_config_until_it_is_started(world):
    tagged = an_endpoint(deploy=False, tags={PROJECT_TAG: PREFIX, "team": "nlp"})
    world.apply(tagged)
    world.applied = replace(PROJECT, parts=(tagged,))
    assert world.differs(an_endpoint(deploy=False)) == ["tags.team"]
    world.apply(an_endpoint(deploy=False))
    assert len(world.configs_of()) == 1


def test_what_the_meter_started_gets_the_new_content_where_it_runs(world):
    world.apply(an_endpoint(deploy=False))
    (config_name,) = world.configs_of()
    world.meter.add(NAME, config_name, amount=minutes(30), owner="bob", actor="bob")
    world.rest()
    assert world.differs(an_endpoint(deploy=False)) == [
        "tags.environment", f"tags.{PROJECT_TAG}",
    ]  # fmt: skip
    part = an_endpoint(deploy=False, **GREEN)
    assert world.apply(part)
    assert world.runs().blueprint.config.variants[0].model_name == "green"
    assert (world.book.get(NAME).owner, left(world)) == ("bob", minutes(30))
    world.expire()
    world.apply(an_endpoint(deploy=False))
    assert world.status(NAME) is None
    assert world.catalog.config(world.book.get(NAME).config_name).variants[0].model_name == "blue"


def test_what_was_made_ready_is_brought_up_when_the_file_says_so(world):
    world.apply(an_endpoint(deploy=False))
    part = an_endpoint(minutes=45)
    assert "deploy" in world.differs(part)
    assert world.apply(part)
    assert left(world) == minutes(45)
    assert not world.apply(an_endpoint(deploy=False)), "whether it runs is the meter's affair"


# -- removal --------------------------------------------------------------------------------------


def remove(world):
    errand = world.errand()
    for _ in range(10):
        try:
            world.endpoints.remove(NAME, errand)
        except EndpointBusy:
            for deployment in world.deployments.running().records:
                world.finish(deployment, arrive=lambda: world.arrive(NAME))
            world.sweep.run()
            world.arrive(NAME)
        else:
            return
    raise AssertionError("it never goes")


def assert_gone(world):
    assert world.endpoints.found(NAME) is None
    assert world.status(NAME) is None
    assert world.book.all().leases == ()
    assert world.configs_of() == []
    assert world.scaling.targets().records == ()
    assert world.scaling.policies().records == ()
    assert world.alarms.all().records == ()
    assert world.booking_store.all().records == ()
    assert world.terms.all().records == ()
    assert world.catalog.tags("endpoint", NAME) == {}


def test_removal_takes_all_that_was_made(world):
    world.apply(
        an_endpoint(scaling={"AllTraffic": SCALED}, wake={"minutes": 10, "at_most_minutes": 60})
    )
    world.apply(an_endpoint(scaling={"AllTraffic": SCALED}, **GREEN))
    now = world.clock.now()
    booking = Booking(
        id="b", endpoint_name=NAME, config_name=world.config_of(NAME), owner="ann",
        starts_at=now + minutes(90), ends_at=now + minutes(120), made_at=now,
    )  # fmt: skip
    world.booking_store.add(booking, an_event("booking.added"), beside=frozenset())
    remove(world)
    assert_gone(world)
    remove(world)


@pytest.mark.parametrize("deploy", [True, False])
def test_removal_takes_what_the_meter_started(world, deploy):
    world.apply(an_endpoint(deploy=deploy))
    if not deploy:
        (config_name,) = world.configs_of()
        world.meter.add(NAME, config_name, amount=minutes(30), owner="bob", actor="bob")
        world.rest()
    else:
        world.expire()
        world.meter.start(NAME, amount=minutes(30), actor="bob")
        world.rest()
    remove(world)
    assert_gone(world)


def test_removal_takes_what_is_over_or_made_ready_alone(world):
    world.apply(an_endpoint(minutes=30))
    world.expire()
    remove(world)
    assert_gone(world)
    world.apply(an_endpoint(deploy=False))
    remove(world)
    assert_gone(world)


def test_removal_calls_off_a_deployment_first(world):
    world.apply(an_endpoint())
    world.endpoints.put(an_endpoint(**GREEN), world.errand())
    (running,) = world.deployments.running().records
    world.go(running)
    remove(world)
    assert world.deployments.get(running.id).status is Status.CANCELLED
    assert_gone(world)


def test_removal_leaves_configs_that_others_made_or_need(world):
    before = world.deployer.begin(an_order(endpointName=NAME), "bob")
    world.finish(before, arrive=lambda: world.arrive(NAME))
    theirs = world.config_of(NAME)
    world.apply(an_endpoint(**GREEN))
    ours = world.config_of(NAME)
    world.meter.add("other", ours, amount=minutes(5), owner="bob", actor="bob")
    world.rest()
    world.expire("other")
    remove(world)
    assert world.configs_of() == sorted([theirs, ours])


def test_removal_leaves_what_others_made(world):
    config = a_config("theirs", variants=(a_variant(model_name="blue"),))
    world.provisioner.make_config(config, {}, "bob")
    world.apply(an_endpoint())
    world.apply(an_endpoint(f"{NAME}-b"))
    other = world.config_of(f"{NAME}-b")
    remove(world)
    assert {"theirs", other} <= set(world.configs())
    assert world.status(f"{NAME}-b") is not None


# -- what is told ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"deploy": "yes"}, "deploy"),
        ({"scaling": {"AllTraffic": {**SCALED, "autoscalingMinCapacity": 0}}}, "less than 1"),
        ({"colour": "red"}, "colour is not a key"),
        ({"endpointName": "other"}, "is not 'TextDemo-text'"),
        ({"keep": {"by_minutes": 0, "when_left_minutes": 1, "at_most_minutes": 1}}, "keep.by"),
        ({"keep": {"by": 1}}, "keep.by is not a key"),
        ({"schedule": "always"}, "always"),
        ({"maintain": {"watch": "maybe"}}, "maintain.watch 'maybe'"),
        ({"maintain": {"watch": "on", "stop_after": 0}}, "stop_after 0"),
        ({"sleep": {"after_minutes": 0}}, "sleep.after"),
        ({"wake": {"minutes": 0, "at_most_minutes": 5}}, "wake.minutes"),
        ({"metered": False, "sleep": {"after_minutes": 5}}, "sleep is given"),
        ({"DataCaptureConfig": {}}, "DestinationS3Uri is missing"),
    ],
)
def test_what_can_never_be_is_refused(world, content, words):
    with pytest.raises(InvalidInput) as caught:
        world.endpoints.check(an_endpoint(**content), PROJECT)
    assert words in f"{caught.value.message} {caught.value.hint}" or words in caught.value.field


def test_a_multi_model_endpoint_that_cannot_be_is_refused_before_anything_is_made(world):
    many = a_model_part("many", url="s3://models/many/", multi_model=True)
    project = replace(PROJECT, parts=(many,))
    variants = [a_variant_of(ModelName=many.name)]
    part = an_endpoint(productionVariants=variants, AsyncInferenceConfig=ASYNC)
    with pytest.raises(InvalidInput, match="Mode SingleModel"):
        world.endpoints.check(part, project)
    world.apply(many)
    assert world.apply(an_endpoint(productionVariants=variants))


def test_what_is_in_its_way_is_told(world):
    world.apply(an_endpoint(owner="ann"))
    with pytest.raises(Conflict, match="is ann's, not bob's"):
        world.endpoints.check(an_endpoint(owner="bob"), PROJECT)
    world.opting = replace(world.opting, watched=Watched.NONE)
    with pytest.raises(Conflict, match="watches no endpoint"):
        world.endpoints.check(an_endpoint(maintain={"watch": "on"}), PROJECT)
    world.leases_only = True
    with pytest.raises(Conflict):
        world.endpoints.check(an_endpoint("TextDemo-other", metered=False), PROJECT)


def test_an_hour_costs_what_the_project_says_then_what_the_server_knows(world):
    variants = [
        a_variant_of(VariantName="blue", InitialInstanceCount=2),
        a_variant_of(VariantName="green", InstanceType="ml.c5.xlarge"),
    ]
    part = an_endpoint(productionVariants=variants, scaling={"blue": SCALED, "green": None})
    content = world.endpoints.settled(part, None)
    own = Project(name="Text", prices={"ml.c5.large": Decimal(3)})
    known = world.endpoints.hourly(content, PROJECT)
    assert known == world.money.prices.hourly(
        [*_machines("ml.c5.large", 2), *_machines("ml.c5.xlarge", 1)]
    )
    xlarge = world.money.prices.hourly(_machines("ml.c5.xlarge", 1))
    assert world.endpoints.hourly(content, own) == xlarge.plus(Sum(usd=Decimal(6)))
    assert world.endpoints.instances(content) == 4 + 1


def _machines(instance_type, count):
    return [Machine(variant_name="v", instance_type=instance_type, count=count)]


def test_what_it_has_written_stays_and_is_named(world):
    part = an_endpoint(AsyncInferenceConfig=ASYNC)
    content = world.endpoints.settled(part, None)
    assert world.endpoints.stays(content) == (
        "asynchronous answers: s3://answers/text", "asynchronous failures: s3://failures/text",
    )  # fmt: skip
    content = world.endpoints.settled(an_endpoint(DataCaptureConfig=CAPTURE), None)
    assert world.endpoints.stays(content) == ("captured data: s3://captured/text",)


def test_how_it_stands_is_said_with_the_reason(world):
    part = an_endpoint(minutes=30)
    assert world.endpoints.condition(part).state == "missing"
    world.endpoints.put(part, world.errand())
    (running,) = world.deployments.running().records
    world.go(running)
    assert world.endpoints.condition(part).state == "deploying"
    world.finish(running, arrive=lambda: world.arrive(NAME))
    running = world.endpoints.condition(part)
    assert (running.state, running.troubled) == ("running", False)
    assert "1 of 1 instances answer; paid for 30 min more" in running.text
    world.hosting.fail(NAME, "no ping")
    failed = world.endpoints.condition(part)
    assert (failed.state, failed.troubled) == ("failed", True)
    assert "no ping" in failed.text
    world.meter.stop(NAME, actor="ann")
    world.clock.advance(seconds(1))
    assert world.endpoints.condition(part).state == "stopped"
