"""Errors: one table, one shape."""

import logging

import pytest

from parkade.apps.api import errors
from parkade.domain import errors as domain
from tests.builders import seconds


def leaves(root):
    return [root, *(leaf for child in root.__subclasses__() for leaf in leaves(child))]


@pytest.mark.parametrize("kind", leaves(domain.ParkadeError))
def test_every_error_of_the_tree_has_a_status_and_a_code(kind):
    error = kind.__new__(kind)
    assert 400 <= errors.status(error) < 600
    # What others tell apart for themselves is to callers what it is a kind of.
    told = next(each for each in kind.__mro__ if each.__module__ == domain.__name__)
    assert errors.code(error).replace("_", "") == told.__name__.lower()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (domain.BadArchive("x"), 400, "bad_archive"),
        (domain.LeaseNotFound("x"), 404, "lease_not_found"),
        (domain.VersionConflict("x"), 409, "version_conflict"),
        (domain.TooLarge("x"), 413, "too_large"),
        (domain.Throttled("x", retry_after=seconds(1)), 429, "throttled"),
    ],
)
def test_statuses(error, status, code):
    assert (errors.status(error), errors.code(error)) == (status, code)


def test_a_retry_is_given_in_whole_seconds_rounded_up(world):
    def refuse():
        raise domain.Throttled("too many", retry_after=seconds(1.2))

    world.services.reload = refuse
    answer = world.call("POST", "/v1/reload", by="admin")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/", "/docs"),
        ("/v1", "/docs"),
        ("/v1/leasess", "did you mean '/v1/leases'? /docs lists all there is"),
        ("/v1/leases/", "/docs"),
        ("/endpoint-expirry", "did you mean '/endpoint-expiry'? /docs lists all there is"),
        ("/docs/static/%2e%2e/app.py", "/docs"),
        ("/docs/static/nothing.js", "/docs"),
    ],
)
def test_an_unknown_path_says_what_there_is(world, path, hint):
    status, error = world.error("GET", path)
    assert (status, error["code"]) == (404, "not_found")
    assert path.split("/")[1] in error["message"]
    assert hint in error["hint"]


def test_an_invocation_of_a_route_that_is_not_set_says_how_to_set_it(world):
    status, error = world.error("POST", "/falcon", json={"inputs": "x"})
    assert (status, error["code"]) == (404, "not_found")
    assert "parkade route set /falcon" in error["hint"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/v1/leases/falcon", "DELETE, GET, PUT"),
        ("POST", "/v1/leases", "GET"),
        ("DELETE", "/endpoint-expiry", "GET, POST"),
        ("PATCH", "/v1/objects/bucket/a/b/c", "DELETE, GET, HEAD, PUT"),
        ("GET", "/startexecution", "POST"),
    ],
)
def test_a_method_that_is_not_possible_says_which_are(world, method, path, allowed):
    status, error = world.error(method, path)
    assert (status, error["code"]) == (405, "method_not_allowed")
    assert allowed in error["hint"]
    assert world.call(method, path).headers["allow"] == allowed


def test_a_bug_is_logged_under_the_id_that_is_answered(world, caplog):
    def broken():
        raise ZeroDivisionError("the inside of the machine")

    world.services.reload = broken
    with caplog.at_level(logging.ERROR):
        status, error = world.error("POST", "/v1/reload", by="admin")
    assert (status, error["code"]) == (500, "bug")
    assert "POST /v1/reload" in error["message"]
    assert error["id"] in error["hint"]
    assert "machine" not in str(error)
    (record,) = [each for each in caplog.records if each.exc_info]
    assert error["id"] in record.getMessage()
    assert record.bug == error["id"]
    assert record.exc_info[0] is ZeroDivisionError


def test_several_faults_are_told_at_once(world):
    status, error = world.error("POST", "/v1/models", json={"name": 1, "image": 2}, by="admin")
    assert (status, error["field"]) == (400, "name")
    assert "name cannot be used" in error["message"]
    assert "image cannot be used" in error["message"]


def test_an_unknown_field_without_a_likeness_gets_all_that_are_known(world):
    world.add()
    _, error = world.error("POST", "/v1/leases/falcon/extend", json={"zzz": 1, "minutes": 1})
    assert error["hint"] == "known are minutes"


def test_what_no_encoding_can_hold_is_refused_politely(world):
    body = b'{"minutes": 1, "\\ud800": 2}'
    status, error = world.error("POST", "/v1/leases/falcon/extend", content=body)
    assert (status, error["field"]) == (400, "body")
    assert world.error("GET", "/v1/leases?%ff=1")[0] == 400
    assert world.error("GET", "/v1/leases/%ff")[0] == 404


def test_a_pair_of_surrogates_is_a_text_like_any_other(world):
    body = b'{"name": "m", "image": "pytorch-inference", "environment": {"A": "\\ud83d\\ude97"}}'
    made = world.ok("POST", "/v1/models", content=body, by="admin")
    assert made["environment"] == {"A": "\N{AUTOMOBILE}"}
