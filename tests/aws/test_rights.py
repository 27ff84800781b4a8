"""A token without rights is refused by every method that the API has; what it has, it may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.aws.project import PREFIX
from tests.aws.waiting import wait_for

if TYPE_CHECKING:
    from tests.aws.walking import Walk

pytestmark = pytest.mark.aws

#: What stands for a path's parameters.
_REST = "tokens"
#: A body that every method takes for one of its form.
FORM = {"EndpointName": "x", "endpointname": "x", "body": "x", "executionArn": "arn:none"}
#: Forbidden; or, of what is somebody else's, not there.
REFUSED = {403, 404}
#: What shows each token its own endpoints.
OWN_VIEW = {("GET", "/endpoint-expiry")}


@pytest.fixture(scope="module")
def stranger(walk: Walk) -> str:
    """A token that may invoke an endpoint that is on no route, and nothing else."""
    return walk.token("invoker", "nobodys-endpoint")


def test_every_method_refuses_a_token_without_rights(walk: Walk, stranger: str) -> None:
    asked = 0
    for method in walk.running.gateway.api.methods:
        path = method.path.replace("{proxy+}", _REST)
        for verb in ("GET", "POST", "PUT", "DELETE") if method.verb == "ANY" else (method.verb,):
            if method.authorizer is None:
                continue
            asked += 1
            nobody = walk.ask(verb, path, "no-such-token", json={})
            assert nobody.status_code == 401, f"{verb} {path}: {nobody.status_code}"
            answer = walk.ask(verb, path, stranger, json=FORM)
            if (verb, path) in OWN_VIEW:
                # Every token may see its own endpoints, of which this one has none.
                assert (answer.status_code, answer.json()) == (200, [])
                continue
            assert answer.status_code in REFUSED, f"{verb} {path}: {answer.text}"
    assert asked > 10


def test_only_routes_that_the_file_makes_public_ask_for_no_token(walk: Walk) -> None:
    open_ones = [each for each in walk.running.gateway.api.methods if each.authorizer is None]
    assert [(each.verb, each.path) for each in open_ones] == [("POST", "/open")]


def test_an_invoker_invokes_its_endpoint_and_does_nothing_else(walk: Walk) -> None:
    mine = walk.token("invoker", f"{PREFIX}-text")
    walk.wait(f"{PREFIX}-text")
    for route in ("/text", "/direct", "/open"):
        answer = walk.ask("POST", route, mine, json={"text": "coin"})
        assert (answer.status_code, answer.json()) == (200, {"ok": True, "n": 4}), answer.text
    form = {"EndpointName": f"{PREFIX}-text", "minutes": 10}
    assert walk.ask("POST", "/endpoint-expiry", mine, json=form).status_code == 403
    assert walk.ask("POST", "/many", mine, json={}).status_code == 403


def test_an_execution_is_read_by_who_started_it_alone(walk: Walk) -> None:
    mine, other = walk.token("invoker"), walk.token("invoker")
    walk.wait(f"{PREFIX}-text")
    form = {"endpointname": f"{PREFIX}-text", "body": {"text": "coin"}}
    started = walk.ok("POST", "/startexecution", mine, json=form)
    arn = {"executionArn": started["executionArn"]}

    def described() -> dict[str, object]:
        return dict(walk.ok("POST", "/describeexecution", mine, json=arn))

    wait_for(lambda: described()["status"] != "RUNNING", why="the execution to end")
    assert described()["status"] == "SUCCEEDED", described()
    assert '"n": 4' in str(described()["output"]) or "n" in str(described()["output"])
    answer = walk.ask("POST", "/describeexecution", other, json=arn)
    assert answer.status_code in {403, 404}, answer.text
