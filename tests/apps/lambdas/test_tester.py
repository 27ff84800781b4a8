"""The tester's functions: their share of the clients, when they rest, and the token that they ask with."""

import json

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.metrics import MemoryMetricStore
from parkade.adapters.memory.objects import MemoryObjects
from parkade.adapters.memory.tokens import MemoryTokenStore
from parkade.adapters.system.ticks import SystemTicks
from parkade.apps.lambdas import tester, testertoken
from parkade.apps.lambdas.tester import BY_SCHEDULE
from parkade.domain.errors import Unauthenticated
from parkade.domain.ownrequests import is_own
from parkade.domain.tester import order
from parkade.domain.tester.shot import Reply
from parkade.domain.token import Role
from parkade.services.tokens import Tokens
from tests.apps.lambdas.calls import a_call
from tests.apps.lambdas.cloudformation import cloudformation
from tests.builders import NOW

CASES = [{"id": "one", "input": "a", "expected": "b"}, {"id": "two", "input": "c", "expected": "d"}]
ADDRESS = "s3://assets/cases.json"


class Endpoint:
    """Answers every call alike, and remembers what it was called with."""

    def __init__(self, body=b'"b"', status=200):
        self.body, self.status = body, status
        self.headers, self.bodies = [], []

    def caller(self, headers):
        self.headers.append(dict(headers))
        return self

    async def open(self):
        pass

    async def call(self, body, content_type):
        self.bodies.append(body)
        return Reply(status=self.status, content_type="application/json", body=self.body)

    async def close(self):
        pass


class World:
    def __init__(self, **changes):
        self.clock = ManualClock(NOW)
        self.objects, self.metrics = MemoryObjects(self.clock), MemoryMetricStore()
        self.endpoint, self.absent = Endpoint(), ""
        with self.objects.writer("assets", "cases.json") as writer:
            writer.write(json.dumps(CASES).encode())
            writer.commit()
        told = {
            "endpoint_name": "Demo-text",
            "cases": ADDRESS,
            "clients": 2,
            "interval_seconds": 0,
            # Every client asks every case once.
            "duration_seconds": 0,
            "project": "Demo",
            "stage": "prod",
            **changes,
        }
        self.order = order.read(told)

    def tester(self):
        return tester.Tester(
            tester.Means(
                order=self.order,
                absent=lambda: self.absent,
                caller=self.endpoint.caller,
                objects=self.objects,
                metrics=self.metrics,
                clock=self.clock,
                ticks=SystemTicks(),
                name="Demo",
            )
        )

    def heard(self, message=""):
        return self.tester()({"Records": [{"Sns": {"Message": message}}]}, a_call())

    def counted(self):
        known = self.metrics.known(namespace="Parkade/Tester")
        return {each.series.name: dict(each.series.dimensions) for each in known}


def test_each_client_asks_every_case_and_what_was_measured_is_told():
    world = World()
    told = world.heard()
    assert len(world.endpoint.bodies) == 4
    assert told["report"]["total"]["runs"] == 4
    assert told["passed"] is False  # one of the two cases is answered with the other's answer
    assert set(world.counted()) == {
        "ResponseTime", "StatusSuccess", "StatusError", "TestSuccess", "TestFail",
    }  # fmt: skip
    assert world.counted()["TestFail"] == {"Project": "Demo", "Stage": "prod", "Type": "Endpoint"}


def test_its_requests_say_that_they_are_tests():
    world = World(variant="Model-A")
    world.heard()
    for each in world.endpoint.headers:
        assert is_own(each["X-Amzn-SageMaker-Inference-Id"])
        assert each["X-Amzn-SageMaker-Target-Variant"] == "Model-A"


def test_a_schedule_leaves_alone_what_does_not_serve_and_a_person_asks_it_all_the_same():
    world = World()
    world.absent = "it is not there"
    assert world.heard(json.dumps({"by": BY_SCHEDULE})) == {"skipped": "it is not there"}
    assert not world.endpoint.bodies
    assert not world.counted()
    assert "summary" in world.heard("please")
    assert world.endpoint.bodies
    # So does who invokes the function itself, as a pipeline does.
    assert "summary" in world.tester()({}, a_call())


def test_a_schedule_tests_what_serves():
    world = World()
    assert "summary" in world.heard(json.dumps({"by": BY_SCHEDULE}))


@pytest.fixture(scope="module")
def asking():
    with cloudformation() as found:
        yield found


class Door:
    def __init__(self, asking):
        self.asking = asking
        self.tokens = Tokens(
            MemoryTokenStore(MemoryHistory()), clock=ManualClock(NOW), key=lambda: b"k" * 32
        )
        self.secrets = {"arn:one": "s" * 48, "arn:two": "t" * 48}

    def ask(self, request="Create", secret="arn:one"):  # noqa: S107  its ARN
        function = testertoken.TesterToken(
            testertoken.Means(tokens=self.tokens, secret=self.secrets.__getitem__)
        )
        return self.asking.ask(
            function,
            request,
            a_call(),
            TokenName="Demo-tester",
            EndpointName="Demo-text",
            Secret=secret,
        )


def test_the_token_of_a_tester_may_invoke_its_endpoint_and_nothing_else(asking):
    door = Door(asking)
    assert door.ask()["Status"] == "SUCCESS"
    token = door.tokens.authenticate("s" * 48)
    assert token.role is Role.INVOKER
    assert token.endpoints == {"Demo-text"}


def test_a_token_is_made_once_and_another_secret_is_another_token(asking):
    door = Door(asking)
    first = door.ask()["PhysicalResourceId"]
    assert door.ask("Update")["PhysicalResourceId"] == first
    assert len(door.tokens.all()) == 1
    # CloudFormation deletes the former one, since it is known by another name.
    assert door.ask("Update", secret="arn:two")["PhysicalResourceId"] != first


def test_a_token_that_goes_is_refused_from_then_on(asking):
    door = Door(asking)
    name = door.ask()["PhysicalResourceId"]
    event = {
        "RequestType": "Delete",
        "StackId": "stack",
        "RequestId": "1",
        "LogicalResourceId": "It",
        "PhysicalResourceId": name,
        "ResponseURL": asking._url,
        "ResourceProperties": {},
    }
    testertoken.TesterToken(testertoken.Means(tokens=door.tokens, secret=door.secrets.__getitem__))(
        event, a_call()
    )
    assert asking.answers[-1]["Status"] == "SUCCESS"
    with pytest.raises(Unauthenticated, match="was revoked"):
        door.tokens.authenticate("s" * 48)


def test_a_token_that_was_never_made_is_gone_already(asking):
    assert Door(asking).ask("Delete")["Status"] == "SUCCESS"
