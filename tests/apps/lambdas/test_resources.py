"""Resources of CloudFormation: the leases of a stack, and the end of all of them."""

import json
from types import SimpleNamespace

import pytest

from parkade.apps.lambdas.customresource import Made, answered, resource
from parkade.apps.lambdas.ending import Ending
from parkade.apps.lambdas.ending import Means as EndingMeans
from parkade.apps.lambdas.leasing import Leasing
from parkade.apps.lambdas.leasing import Means as LeasingMeans
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import InvalidInput, Unavailable
from parkade.domain.idle import IdleRules
from parkade.domain.lease import EndReason
from tests.apps.lambdas.calls import a_call
from tests.apps.lambdas.cloudformation import cloudformation
from tests.builders import NOW, a_config, a_variant, an_event, minutes
from tests.services.deployworld import DeployWorld


@pytest.fixture(scope="module")
def asking():
    with cloudformation() as found:
        yield found


class Stage:
    def __init__(self, asking):
        self.asking = asking
        self.world = DeployWorld()
        self.left = 900
        self.pauses = 0
        self.passes = lambda: None
        self.again = []

    def pause(self, span):
        self.pauses += 1
        self.left -= span.total_seconds()
        self.world.clock.advance(span)
        self.passes()

    def end(self, request="Delete", known="known"):
        world = self.world
        means = EndingMeans(
            meter=world.meter,
            book=world.book,
            hosting=world.hosting,
            sweep=world.sweep,
            pause=self.pause,
            again=self.again.append,
        )
        return self._asked(Ending(means), request, known)

    def lease(self, request, config="falcon-config", known="known", **content):
        world = self.world
        means = LeasingMeans(
            meter=world.meter,
            book=world.book,
            terms=world.terms,
            provisioner=world.provisioner,
            rules=IdleRules,
            project="Demo",
            pause=self.pause,
            again=self.again.append,
        )
        variant = {
            "InitialInstanceCount": 1, "InitialVariantWeight": 1, "ModelName": "blue",
            "InstanceType": "ml.m5.large", "VariantName": "AllTraffic",
        }  # fmt: skip
        whole = {"endpointName": "falcon", "productionVariants": [variant], **content}
        return self._asked(
            Leasing(means),
            request,
            known,
            EndpointName="falcon",
            EndpointConfigName=config,
            Content=json.dumps(whole),
        )

    def _asked(self, function, request, known, **properties):
        """Ask, and have the function called again as often as it wants to be."""
        call = a_call(lambda: self.left)
        self.left, self.calls = 900, 1
        told = self.asking.ask(function, request, call, known=known, **properties)
        while told is None:
            self.left, self.calls = 900, self.calls + 1
            told = self.asking.call(function, self.again.pop(), call)
        return told

    def configs(self):
        for name, model in (("falcon-config", "blue"), ("flan-config", "green")):
            variant = a_variant(model_name=model)
            self.world.catalog.add_config(a_config(name, variants=(variant,)), an_event())


@pytest.fixture
def stage(asking):
    return Stage(asking)


@pytest.mark.parametrize("request_", ["Create", "Update"])
def test_making_the_stack_ends_nothing(stage, request_):
    stage.world.running("falcon")
    assert stage.end(request_)["Status"] == "SUCCESS"
    assert stage.world.status() is EndpointStatus.IN_SERVICE


def test_all_leases_end_and_their_endpoints_go_when_the_stack_does(stage):
    for name in ("falcon", "flan"):
        stage.world.running(name)
    stage.world.hosting.create("mine", "falcon-config")
    stage.world.hosting.settle("mine")
    assert stage.end()["Status"] == "SUCCESS"
    for name in ("falcon", "flan"):
        assert stage.world.status(name) is EndpointStatus.DELETING
        assert stage.world.book.get(name).ended is EndReason.STOPPED
    assert stage.world.status("mine") is EndpointStatus.IN_SERVICE  # no lease paid for it
    assert stage.end()["Status"] == "SUCCESS"


def test_what_is_being_created_is_waited_for(stage):
    stage.world.add("falcon")
    stage.world.sweep.run()
    assert stage.world.status() is EndpointStatus.CREATING
    stage.passes = lambda: stage.pauses == 2 and stage.world.hosting.settle("falcon")
    assert stage.end()["Status"] == "SUCCESS"
    assert stage.pauses == 2
    assert stage.world.status() is EndpointStatus.DELETING


def test_what_stays_is_named_when_time_is_over(stage):
    stage.world.add("falcon")
    stage.world.sweep.run()
    told = stage.end()
    assert told["Status"] == "FAILED"
    assert "falcon (Creating)" in told["Reason"]
    assert "delete the stack again" in told["Reason"]
    assert stage.left < 60
    assert stage.calls == 3  # CloudFormation waits for an hour


def test_what_takes_longer_than_a_function_lives_is_waited_for_in_another_call(stage):
    stage.world.add("falcon")
    stage.world.sweep.run()
    stage.passes = lambda: stage.calls == 2 and stage.world.arrive("falcon")
    assert stage.end()["Status"] == "SUCCESS"
    assert stage.calls == 2
    assert stage.world.status() is EndpointStatus.DELETING


def test_where_no_other_call_can_be_had_that_is_told_at_once(stage):
    def refuse(_event):
        raise Unavailable("the function cannot be called", retry_after=minutes(1))

    stage.again = SimpleNamespace(append=refuse)
    stage.world.add("falcon")
    stage.world.sweep.run()
    assert "falcon (Creating)" in stage.end()["Reason"]


def test_a_lease_that_cannot_be_read_is_left_alone_and_named(stage):
    for name in ("falcon", "flan"):
        stage.world.running(name)
    stage.world.book.damage("flan", "it is no JSON")
    told = stage.end()
    assert told["Status"] == "FAILED"
    assert "flan" in told["Reason"]
    assert stage.world.status("flan") is EndpointStatus.IN_SERVICE
    assert stage.world.status("falcon") is EndpointStatus.DELETING


def test_a_stack_s_endpoint_gets_its_time_once(stage):
    assert stage.lease("Create", minutes=20)["Status"] == "SUCCESS"
    lease = stage.world.book.get("falcon")
    assert (lease.expires_at, lease.owner) == (NOW + minutes(20), "Demo")
    stage.lease("Create", minutes=20)  # Lambda asked twice
    stage.lease("Update", minutes=60)
    assert stage.world.book.get("falcon").expires_at == NOW + minutes(20)
    assert stage.world.hosting.endpoints() == {}  # the sweep starts it


def test_what_is_settled_about_it_follows_the_file(stage):
    stage.lease("Create", minutes=20, wake={"minutes": 5, "at_most_minutes": 30})
    assert stage.world.terms.get("falcon").wake.minutes == minutes(5)
    stage.lease("Update", minutes=20)
    assert stage.world.terms.get("falcon").wake.minutes == minutes(5)  # the former spoke of none
    stage.lease("Update", wake=None)
    assert stage.world.terms.get("falcon") is None


def test_one_that_is_not_to_be_up_is_bought_no_time(stage):
    assert stage.lease("Create", deploy=False)["Status"] == "SUCCESS"
    assert stage.world.book.all().leases == ()


def test_a_running_endpoint_is_updated_to_the_new_config_and_waited_for(stage):
    """The former config goes once this is answered: nobody may be served by it, or go back to it."""
    stage.configs()
    stage.lease("Create", minutes=20)
    stage.world.rest()
    stage.passes = lambda: stage.pauses == 3 and stage.world.arrive()
    assert stage.lease("Update", config="flan-config")["Status"] == "SUCCESS"
    assert stage.pauses == 3
    assert stage.world.book.get("falcon").config_name == "flan-config"
    assert stage.world.config_of("falcon") == "flan-config"


def test_one_that_is_being_created_is_updated_when_it_is_there(stage):
    stage.configs()
    stage.lease("Create", minutes=20)
    stage.world.sweep.run()
    assert stage.world.status() is EndpointStatus.CREATING
    stage.passes = stage.world.arrive
    assert stage.lease("Update", config="flan-config")["Status"] == "SUCCESS"
    assert stage.world.config_of("falcon") == "flan-config"


def test_an_update_that_goes_back_fails_the_resource(stage):
    stage.configs()
    stage.lease("Create", minutes=20)
    stage.world.rest()
    stage.passes = lambda: stage.world.provisioner.turn_back("falcon", "no ping")
    told = stage.lease("Update", config="flan-config")
    assert told["Status"] == "FAILED"
    assert "falcon went back to falcon-config" in told["Reason"]
    # CloudFormation rolls the stack back: what the lease says and what runs are one again.
    assert stage.lease("Update", config="falcon-config")["Status"] == "SUCCESS"
    assert stage.world.book.get("falcon").config_name == "falcon-config"


def test_an_update_without_end_fails_the_resource(stage):
    stage.configs()
    stage.lease("Create", minutes=20)
    stage.world.rest()
    told = stage.lease("Update", config="flan-config")
    assert told["Status"] == "FAILED"
    assert "still Updating" in told["Reason"]


def test_a_request_that_is_made_twice_has_bought_the_lease_all_the_same(stage):
    """Lambda calls again where the first call's answer did not arrive: what it bought is to go too."""
    stage.lease("Create", minutes=20)
    stage.asking.answers.pop()
    known = stage.lease("Create", minutes=20)["PhysicalResourceId"]
    assert stage.world.book.get("falcon").expires_at == NOW + minutes(20)
    assert stage.lease("Delete", known=known)["Status"] == "SUCCESS"
    assert stage.world.book.all().leases == ()


def test_its_lease_goes_with_it_and_what_cannot_go_is_told(stage):
    stage.lease("Create", minutes=20)
    stage.world.sweep.run()
    told = stage.lease("Delete")
    assert told["Status"] == "FAILED"
    assert "Creating" in told["Reason"]
    stage.world.hosting.settle("falcon")
    stage.left = 900
    assert stage.lease("Delete")["Status"] == "SUCCESS"
    assert stage.world.book.all().leases == ()
    assert stage.lease("Delete")["Status"] == "SUCCESS"


def test_content_that_is_none_is_told_as_the_reason(stage):
    told = stage.lease("Create", endpointNam="x")
    assert told["Status"] == "FAILED"
    assert "endpointNam" in told["Reason"]


def test_a_stack_that_is_made_again_buys_again(stage):
    known = stage.lease("Create", minutes=20)["PhysicalResourceId"]
    assert stage.lease("Delete", known=known)["Status"] == "SUCCESS"
    assert stage.world.book.all().leases == ()
    assert stage.lease("Create", minutes=20)["Status"] == "SUCCESS"
    assert stage.world.book.get("falcon").expires_at == NOW + minutes(20)


def test_what_could_not_be_made_ends_nothing_that_was_there(stage):
    stage.world.running("falcon")
    failed = stage.lease("Create", endpointNam="x")
    assert failed["Status"] == "FAILED"
    stage.world.running("flan")
    assert stage.lease("Delete", known=failed["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert stage.end(known=failed["PhysicalResourceId"])["Status"] == "SUCCESS"
    for name in ("falcon", "flan"):
        assert not stage.world.book.get(name).over(NOW)
        assert stage.world.status(name) is EndpointStatus.IN_SERVICE


def test_a_lease_that_was_there_before_its_stack_stays_when_the_stack_is_rolled_back(stage):
    stage.world.running("falcon")
    known = stage.lease("Create", minutes=20)["PhysicalResourceId"]
    assert stage.lease("Update", known=known)["PhysicalResourceId"] == known
    assert stage.lease("Delete", known=known)["Status"] == "SUCCESS"
    assert not stage.world.book.get("falcon").over(NOW)
    assert stage.world.status() is EndpointStatus.IN_SERVICE


def test_what_was_bought_goes_where_the_rest_of_it_failed(stage, monkeypatch):
    def refuse(*_):
        raise Unavailable("the table is not there", retry_after=minutes(1))

    with monkeypatch.context() as patch:
        patch.setattr(stage.world.terms, "change", refuse)
        failed = stage.lease("Create", minutes=20)
    assert failed["Status"] == "FAILED"
    assert "the table is not there" in failed["Reason"]
    assert stage.lease("Delete", known=failed["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert stage.world.book.all().leases == ()


def test_a_resource_whose_function_cannot_be_built_is_answered_and_built_at_the_next_call(asking):
    built = []

    def build(_settings):
        built.append(None)
        if len(built) == 1:
            raise InvalidInput("PARKADE_SETTINGS has a setting ladder", field="PARKADE_SETTINGS")
        return lambda event, _call: answered(event, lambda _asked: Made(id="it"))

    function = resource(build)
    context = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 60_000)
    told = asking.ask(function, "Create", context)
    assert told["Status"] == "FAILED"
    assert "PARKADE_SETTINGS has a setting ladder" in told["Reason"]
    assert asking.ask(function, "Create", context)["Status"] == "SUCCESS"
    assert asking.ask(function, "Create", context)["Status"] == "SUCCESS"
    assert len(built) == 2
