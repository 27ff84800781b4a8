"""The authorizer: who is let in, and to what."""

import json

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.apps.lambdas import leanfile
from parkade.apps.lambdas import policy as policies
from parkade.apps.lambdas.authorizer import LIMIT, Authorizer, Unauthorized, mark
from parkade.domain.token import Role
from parkade.services.tokens import digest
from tests.apps.lambdas.calls import a_call
from tests.builders import NOW, a_token, minutes

KEY = b"k" * 32
STAGE = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/prod"
ROUTES = {
    "/falcon": {"endpoint": "falcon"},
    "/text/flan": {"endpoint": "flan"},
}
TABLE = policies.operations(leanfile.packaged(leanfile.ROLES))


class Gate:
    """An authorizer that knows these tokens, by their secrets."""

    def __init__(self, routes=ROUTES, **tokens):
        self.clock = ManualClock(NOW)
        self.asked = []
        self.tokens = {digest(KEY, secret): token for secret, token in tokens.items()}
        self.authorizer = Authorizer(
            self.find,
            key=lambda: KEY,
            roles=leanfile.packaged(leanfile.ROLES),
            routes=routes,
            clock=self.clock,
        )

    def find(self, found):
        self.asked.append(found)
        return self.tokens.get(found)

    def ask(self, header, end="GET/endpoint-expiry", name="Authorization"):
        event = {"methodArn": f"{STAGE}/{end}", "headers": {name: header}}
        return self.authorizer(event, a_call())


def lets(answer, end):
    """Decide as IAM does: what is denied is, whatever allows it."""
    arn = f"{STAGE}/{end}"
    said = {
        statement["Effect"]
        for statement in answer["policyDocument"]["Statement"]
        if policies.matched(arn, statement["Resource"])
    }
    return said == {"Allow"}


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("header", ["s3cret", "Bearer s3cret", "bearer  s3cret", " s3cret "])
def test_a_token_is_known_by_its_hash_however_its_header_is_spelt(name, header):
    gate = Gate(s3cret=a_token(name="ann"))
    answer = gate.ask(header, name=name)
    assert answer["principalId"] == "ann"
    assert gate.asked == [digest(KEY, "s3cret")]


@pytest.mark.parametrize("header", ["", "Bearer ", "other"])
def test_who_is_not_known_is_told_the_one_word_that_means_401(header):
    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        Gate(s3cret=a_token()).ask(header)


def test_a_request_without_headers_is_refused():
    gate = Gate()
    with pytest.raises(Unauthorized):
        gate.authorizer({"methodArn": f"{STAGE}/GET/x", "headers": None}, a_call())


def test_revoked_and_expired_tokens_are_refused():
    gate = Gate(old=a_token(expires_at=NOW + minutes(1)), gone=a_token(revoked_at=NOW))
    assert gate.ask("old")
    gate.clock.advance(minutes(1))
    for secret in ("old", "gone"):
        with pytest.raises(Unauthorized):
            gate.ask(secret)


@pytest.mark.parametrize("role", Role)
def test_a_policy_allows_what_the_api_has_for_the_role_and_nothing_else(role):
    answer = Gate(t=a_token(role=role)).ask("t")
    for operation in TABLE:
        assert lets(answer, operation.sample) == operation.open_to(role), operation
    assert not lets(answer, "GET/")
    assert not lets(answer, "DELETE/falcon")
    for statement in answer["policyDocument"]["Statement"]:
        assert not {f"{STAGE}/*", f"{STAGE}/*/*", "*"} & set(statement["Resource"])


def test_a_token_for_some_endpoints_reaches_their_routes_alone():
    answer = Gate(t=a_token(role=Role.INVOKER, endpoints=frozenset({"flan"}))).ask("t")
    assert lets(answer, "POST/text/flan")
    assert not lets(answer, "POST/falcon")
    assert answer["context"].pop("starter") == mark("ann")
    assert answer["context"] == {"name": "ann", "role": "invoker", "endpoints": "flan"}
    free = Gate(t=a_token(role=Role.INVOKER, endpoints=frozenset())).ask("t")
    assert lets(free, "POST/falcon")
    assert lets(free, "POST/text/flan")


@pytest.mark.parametrize("limited", [False, True])
def test_a_policy_that_would_be_too_large_is_for_what_is_asked_alone(limited):
    names = [f"endpoint-with-a-long-name-{number:03}" for number in range(300)]
    routes = {f"/{name}": {"endpoint": name} for name in names}
    mine = frozenset(names[:290]) if limited else frozenset()
    gate = Gate(routes=routes, t=a_token(role=Role.INVOKER, endpoints=mine))
    answer = gate.ask("t", f"POST/{names[7]}")
    assert len(json.dumps(answer)) < LIMIT
    assert lets(answer, f"POST/{names[7]}")
    assert not lets(answer, f"POST/{names[8]}")
    assert answer["context"]["endpoints"] == (names[7] if limited else "")
    refused = gate.ask("t", "DELETE/v1/models/x")
    assert not lets(refused, "DELETE/v1/models/x")
    if limited:
        assert not lets(gate.ask("t", f"POST/{names[295]}"), f"POST/{names[295]}")


def test_a_token_for_many_endpoints_is_told_all_of_them_where_there_is_room():
    names = [f"endpoint-{number:03}" for number in range(90)]
    routes = {f"/{name}": {"endpoint": name} for name in names}
    gate = Gate(routes=routes, t=a_token(role=Role.INVOKER, endpoints=frozenset(names)))
    answer = gate.ask("t", "POST/startexecution")
    assert lets(answer, "POST/startexecution")
    assert not lets(answer, "GET/endpoint-expiry")
    assert answer["context"]["endpoints"] == ",".join(names)


def test_executions_are_marked_by_who_began_them_in_a_form_that_names_can_have():
    marks = {mark(name) for name in ("ann", "bob", "ann__bob", "Ann")}
    assert len(marks) == 4
    assert all(len(each) == 32 and each.isalnum() for each in marks)


def test_the_usage_plan_s_key_is_named_where_there_is_one():
    gate = Gate(t=a_token())
    assert "usageIdentifierKey" not in gate.ask("t")
    gate.authorizer._usage_key = "demo-key"
    assert gate.ask("t")["usageIdentifierKey"] == "demo-key"


def test_an_unlimited_method_is_never_told_an_endpoint_of_a_limited_token():
    names = [f"endpoint-with-a-long-name-{number:03}" for number in range(300)]
    routes = {f"/{name}": {"endpoint": name} for name in names}
    gate = Gate(routes=routes, t=a_token(role=Role.INVOKER, endpoints=frozenset(names)))
    assert gate.ask("t")["context"]["endpoints"] == "-"
