"""What endpoints run on, of a host that says what it runs."""

from pathlib import Path

import pytest

from parkade.adapters.embedded.machines import EmbeddedMachines
from parkade.adapters.memory.clock import ManualClock
from parkade.domain.catalog import Serverless
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import ComponentNotFound, ConfigNotFound, EndpointNotFound, Unreadable
from parkade.runtime.places import InstanceState
from parkade.runtime.views import ComponentDescription, EndpointDescription, InstanceStatus
from tests.builders import (
    NOW,
    a_blueprint,
    a_config,
    a_recorded_component,
    a_recorded_endpoint,
    a_variant,
    minutes,
)


class Host:
    """The part of the host that machines are asked of."""

    def __init__(self):
        self.recorded = {}
        self.statuses = {}
        self.configs = {}
        self.components = {}

    def observed(self):
        return dict.fromkeys(self.statuses)

    def instances(self, name):
        return self.statuses[name]

    def description(self, name):
        if name not in self.statuses:
            raise EndpointNotFound(name)
        if name not in self.recorded:
            raise Unreadable(name)
        return EndpointDescription(recorded=self.recorded[name], serving={}, rising={})

    def config(self, name):
        if name not in self.configs:
            raise ConfigNotFound(name)
        return self.configs[name]

    def component(self, name):
        if name not in self.components:
            raise ComponentNotFound(name)
        return ComponentDescription(recorded=self.components[name], current_copies=1)


def a_worker(worker_id="i-1", **changes):
    defaults = {
        "variant_name": "blue",
        "pid": 1,
        "state": InstanceState.RUNNING,
        "started_at": NOW,
        "restarts": 0,
        "log": Path("log"),
    }
    return InstanceStatus(id=worker_id, **{**defaults, **changes})


class World:
    def __init__(self):
        self.clock = ManualClock(NOW + minutes(10))
        self.host = Host()
        self.machines = EmbeddedMachines(self.host, self.clock)

    def run(self, *workers, **recorded):
        self.host.statuses["falcon"] = workers
        self.host.recorded["falcon"] = a_recorded_endpoint(**recorded)

    def types(self):
        return {each.id: each.instance_type for each in self.machines.present()}

    def fleets(self):
        return {each.id: (each.config_name, each.generation) for each in self.machines.present()}


@pytest.fixture
def world():
    return World()


def deployed(instance_type="ml.c5.xlarge", config_name="falcon-config", **variant):
    config = a_config(config_name, variants=(a_variant(instance_type=instance_type, **variant),))
    return a_blueprint(config)


def test_every_instance_is_told_with_its_type_and_start(world):
    world.run(a_worker(), a_worker("i-2", started_at=NOW + minutes(1)))
    first, second = world.machines.present()
    assert (first.id, first.endpoint_name, first.variant_name) == ("i-1", "falcon", "blue")
    assert (first.instance_type, first.started_at) == ("ml.c5.xlarge", NOW)
    assert second.started_at == NOW + minutes(1)


def test_the_containers_of_a_pipeline_are_one_instance(world):
    world.run(a_worker("w-1", instance="i-1"), a_worker("w-2", instance="i-1", container=1))
    assert list(world.types()) == ["i-1"]


def test_both_fleets_of_an_update_have_each_their_types(world):
    world.run(
        a_worker("old"),
        a_worker("new", generation=2),
        target=deployed("ml.g5.xlarge", config_name="next-config"),
        target_generation=2,
    )
    assert world.types() == {"old": "ml.c5.xlarge", "new": "ml.g5.xlarge"}
    before = world.fleets()
    assert before == {"old": ("falcon-config", 1), "new": ("next-config", 2)}
    # It is over: what is left of the old fleet is what it was until it is gone.
    world.run(
        a_worker("old", state=InstanceState.STOPPING),
        a_worker("new", generation=2),
        blueprint=deployed("ml.g5.xlarge", config_name="next-config"),
        generation=2,
    )
    assert world.types() == {"old": "ml.c5.xlarge", "new": "ml.g5.xlarge"}
    assert world.fleets() == before


def test_a_change_of_counts_alone_has_one_generation(world):
    world.run(a_worker(), a_worker("i-2"), target=deployed(instance_count=2), target_generation=1)
    assert world.types() == {"i-1": "ml.c5.xlarge", "i-2": "ml.c5.xlarge"}


def test_instances_of_an_endpoint_that_cannot_be_read_are_told_without_a_type(world):
    world.host.statuses["falcon"] = (a_worker(),)
    assert world.types() == {"i-1": ""}


def test_what_was_read_before_is_still_known(world):
    world.run(a_worker())
    world.types()
    del world.host.recorded["falcon"]
    assert world.types() == {"i-1": "ml.c5.xlarge"}


def test_serverless_workers_are_told_as_such(world):
    variant = a_variant(instance_type="", serverless=Serverless(memory_mb=1024, concurrency=1))
    world.run(a_worker(), blueprint=a_blueprint(a_config(variants=(variant,))))
    (worker,) = world.machines.present()
    assert (worker.serverless, worker.instance_type) == (True, "")
    (machine,) = world.machines.wanted("falcon", "any")
    assert machine.noun == "serverless"


def hosting(count):
    return a_blueprint(a_config(variants=(a_variant(model_name="", instance_count=count),)), [])


def test_components_run_on_the_instances_of_their_variant_which_count_from_their_first_sight(world):
    world.run(blueprint=hosting(2))
    seen = world.machines.present()
    assert [each.variant_name for each in seen] == ["blue", "blue"]
    assert {each.started_at for each in seen} == {NOW + minutes(10)}
    world.clock.advance(minutes(5))
    world.run(
        a_worker("c-1", component_name="parrot"),
        a_worker("c-2", component_name="parrot"),
        a_worker("c-3", component_name="parrot"),
        blueprint=hosting(2),
    )
    assert world.machines.present() == seen  # three copies are no instances
    # In the next process: from the oldest copy that ran on.
    world.machines = EmbeddedMachines(world.host, world.clock)
    assert {each.started_at for each in world.machines.present()} == {NOW}


def test_what_sleeps_has_no_instances_and_counts_anew_when_it_wakes(world):
    copy = a_worker("c-1", component_name="parrot")
    falling = {"blueprint": hosting(2), "asleep_since": NOW}
    world.run(copy, **falling, status=EndpointStatus.UPDATING)
    assert len(world.machines.present()) == 2  # the copies are still leaving
    world.run(**falling, status=EndpointStatus.IN_SERVICE)
    assert world.machines.present() == []
    (wanted,) = world.machines.wanted("falcon", "falcon-config")
    assert wanted.count == 2  # what is reserved for it, since it may wake
    world.clock.advance(minutes(30))
    world.run(**falling, status=EndpointStatus.SYSTEM_UPDATING)
    assert {each.started_at for each in world.machines.present()} == {NOW + minutes(40)}


def test_what_is_gone_and_comes_again_begins_anew(world):
    world.run(blueprint=hosting(1))
    world.machines.present()
    world.host.statuses.clear()
    assert world.machines.present() == []
    world.clock.advance(minutes(30))
    world.run(blueprint=hosting(1))
    (again,) = world.machines.present()
    assert again.started_at == NOW + minutes(40)


def test_an_endpoint_that_runs_is_wanted_as_it_runs_and_else_as_its_config_says(world):
    world.host.configs["falcon-config"] = a_config()
    (planned,) = world.machines.wanted("falcon", "falcon-config")
    assert planned.noun == "1 x ml.c5.xlarge"
    world.run(blueprint=deployed("ml.g5.xlarge", instance_count=3))
    (running,) = world.machines.wanted("falcon", "falcon-config")
    assert running.noun == "3 x ml.g5.xlarge"
    with pytest.raises(ConfigNotFound):
        world.machines.wanted("flan", "nothing")


def test_use_of_a_component_is_use_of_its_variant(world):
    world.host.components["parrot"] = a_recorded_component("parrot")
    assert world.machines.host_of("falcon", "parrot") == "blue"
    assert world.machines.host_of("other", "parrot") == "parrot"
    assert world.machines.host_of("falcon", "blue") == "blue"
