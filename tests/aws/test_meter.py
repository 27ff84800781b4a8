"""The meter through its synthesized stacks: coins by the API, endpoints that start and stop."""

from __future__ import annotations

import json
import subprocess
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.aws.waiting import wait_for
from tests.aws.walking import Walk, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.aws

#: As the first of these systems was documented; host, token and names are what a reader fills in.
GET_ONE = """
curl --location 'https://xxxxxxxxxx.execute-api.us-east-1.amazonaws.com/prod/endpoint-expiry?EndpointName=demo-Falcon40B-Endpoint' \\
--header 'Authorization: <YOUR TOKEN VALUE>'
"""
GET_ALL = """
curl --location 'https://xxxxxxxxxx.execute-api.us-east-1.amazonaws.com/prod/endpoint-expiry' \\
--header 'Authorization: <YOUR TOKEN VALUE>'
"""
EXTEND = """
curl --location 'https://xxxxxxxxxx.execute-api.us-east-1.amazonaws.com/prod/endpoint-expiry' \\
--header 'Authorization: <YOUR TOKEN VALUE>' \\
--header 'Content-Type: application/json' \\
--data '{
    "EndpointName": "demo-Falcon40B-Endpoint",
    "minutes": 10
}'
"""
ADD = """
curl --location 'https://xxxxxxxxxx.execute-api.us-east-1.amazonaws.com/prod/endpoint-expiry' \\
--header 'Authorization: <YOUR TOKEN VALUE>' \\
--header 'Content-Type: application/json' \\
--data '{
    "EndpointName": "demo-Falcon40B-Endpoint",
    "EndpointConfigName": "jumpstart-example-model-inpainting-cfg",
    "minutes": 30
}'
"""
INVOKE = """
curl --location 'https://xxxxxxxxxx.execute-api.us-east-1.amazonaws.com/prod/text' \\
--header 'Authorization: <YOUR TOKEN VALUE>' \\
--header 'Content-Type: application/json' \\
--data '{
    "text": "Write a program to compute factorial in python:"
}'
"""


def curl(walk: Walk, text: str) -> object:
    """Run a command line as it stands, with this gateway in place of the host."""
    host = walk.running.gateway.url.removesuffix("/prod")
    command = text.replace("https://xxxxxxxxxx.execute-api.us-east-1.amazonaws.com", host)
    command = command.replace("<YOUR TOKEN VALUE>", walk.admin)
    # Its progress is for people; and no proxy has anything to do with it.
    quiet = command.replace("curl ", "curl --silent --show-error --noproxy '*' ", 1)
    done = subprocess.run(["sh", "-c", quiet], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def instant(text: str) -> datetime:
    """Return an expiry as that system wrote it."""
    return datetime.strptime(f"{text}+0000", "%d-%m-%Y-%H-%M-%S%z")


@pytest.fixture(scope="module")
def falcon(walk: Walk) -> Iterator[str]:
    walk.config("jumpstart-example-model-inpainting-cfg")
    yield "demo-Falcon40B-Endpoint"
    if walk.status("demo-Falcon40B-Endpoint"):
        walk.ok("POST", "/v1/leases/demo-Falcon40B-Endpoint/end", json={})


def test_the_documented_command_lines(walk: Walk, falcon: str) -> None:
    added = curl(walk, ADD)
    assert isinstance(added, dict)
    assert "EndpointExpiry " in added, (added, walk.running.gateway.faults)
    expiry = instant(added["EndpointExpiry "])
    assert added["EndpointName"] == falcon
    assert timedelta(minutes=29) < expiry - walk.clock.now() <= timedelta(minutes=30)
    (listed,) = [each for each in curl(walk, GET_ALL) if each["EndpointName"] == falcon]
    assert listed["EndpointExpiry "] == added["EndpointExpiry "]
    extended = curl(walk, EXTEND)
    one = curl(walk, GET_ONE)
    assert one["EndpointExpiry "] == extended["EndpointExpiry "]
    later = instant(one["EndpointExpiry "])
    assert later - expiry == timedelta(minutes=10)
    assert isinstance(one["TimeLeft"], str)


def test_a_lease_starts_a_real_endpoint_and_its_end_stops_it(walk: Walk, falcon: str) -> None:
    curl(walk, ADD) if walk.status(falcon) is None else None
    wait_for(lambda: walk.status(falcon), why="the meter to create the endpoint")
    walk.wait(falcon)
    assert walk.invoke(falcon) == {"ok": True, "n": 4}
    expires_at = walk.expiry(falcon)
    walk.running.quiet()
    # Nobody sweeps: what stops it is the machine that waits for the very second. The clock goes on
    # while the status is asked for, which may take a while.
    walk.clock.set_to(expires_at - timedelta(minutes=5))
    assert walk.status(falcon) == "InService"
    before, left = walk.clock.ahead, expires_at - walk.clock.now()

    def stopped() -> bool:
        calls = walk.calls("DeleteEndpoint", EndpointName=falcon)
        return any("Look" in each["function"] for each in calls)

    until(walk, stopped, "the stop to begin")
    # Of what passed since, this was waited for; the rest is how slow the tests' machine is.
    assert walk.clock.ahead - before <= left + timedelta(seconds=4)
    walk.wait(falcon, None)
    kinds = [each["kind"] for each in walk.events(endpoint=falcon)]
    assert "lease.added" in kinds
    assert "lease.extended" in kinds


def test_two_extensions_at_once_are_both_counted(walk: Walk) -> None:
    name = "at-once"
    walk.config("at-once-config")
    form = {"EndpointName": name, "EndpointConfigName": "at-once-config", "minutes": 30}
    walk.ok("POST", "/endpoint-expiry", json=form)
    before = walk.expiry(name)
    together = threading.Barrier(2)

    def extend() -> None:
        together.wait()
        walk.ok("POST", "/endpoint-expiry", json={"EndpointName": name, "minutes": 10})

    threads = [threading.Thread(target=extend) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert walk.expiry(name) - before == timedelta(minutes=20)


def test_what_operators_look_at_is_answered_from_the_account(walk: Walk) -> None:
    config = walk.sagemaker.describe_endpoint(EndpointName="WalkDemo-text")["EndpointConfigName"]
    for path in ("tokens", "configs", "models", "endpoints", "audit", "cost", "plan", "events"):
        walk.ok("GET", f"/v1/{path}")
    shown = walk.ok("GET", f"/v1/configs/{config}")
    walk.ok("POST", "/v1/configs", json={"name": "another", "variants": shown["variants"]})
    walk.ok("DELETE", "/v1/configs/another")
    walk.ok("PUT", "/v1/endpoints/WalkDemo-text/tags", json={"tags": {"team": "nlp"}})
    assert walk.ok("GET", "/v1/endpoints/WalkDemo-text/tags")["tags"]["team"] == "nlp"
    assert walk.ok("GET", "/v1/endpoints/WalkDemo-text/why")["endpoint_name"] == "WalkDemo-text"
