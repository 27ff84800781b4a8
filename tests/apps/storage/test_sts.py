"""Who the caller is."""

import re

import pytest

from parkade.apps.storage import xml
from tests.apps.api.world import World

FORM = "Action=GetCallerIdentity&Version=2011-06-15"


@pytest.mark.parametrize("by", ["invoker", "limited", "operator", "admin"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/sts"), ("POST", "/sts/"), ("GET", "/sts")])
def test_any_live_token_is_told_who_it_is(world, by, method, path):
    if method == "GET":
        answer = world.call("GET", f"{path}?{FORM}", by=by)
    else:
        answer = world.call("POST", path, by=by, content=FORM)
    assert answer.status_code == 200
    told = xml.read(answer.content, "GetCallerIdentityResponse")
    identity = told.all("GetCallerIdentityResult")[0]
    role = "invoker" if by == "limited" else by
    assert identity.value("Arn") == f"arn:aws:sts::000000000000:assumed-role/parkade-{role}/{by}"
    assert identity.value("Account") == "000000000000"
    request_id = told.all("ResponseMetadata")[0].value("RequestId")
    assert answer.headers["x-amzn-requestid"] == request_id


def test_the_arn_is_one_that_sdks_find_a_role_in(world):
    answer = world.call("POST", "/sts", by="admin", content=FORM)
    arn = re.search(r"<Arn>(.*)</Arn>", answer.text)[1]
    match = re.fullmatch(r"(.+)sts::(\d+):assumed-role/(.+?)/.*", arn)
    role = f"{match[1]}iam::{match[2]}:role/{match[3]}"
    assert re.fullmatch(r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+", role)


@pytest.mark.parametrize(
    ("content", "by", "status", "code"),
    [
        (FORM, None, 403, "MissingAuthenticationToken"),
        (FORM, "nobody", 403, "InvalidClientTokenId"),
        ("Action=AssumeRole&RoleArn=x", "admin", 400, "InvalidAction"),
        ("Action=GetSessionToken", "admin", 400, "InvalidAction"),
        ("", "admin", 400, "InvalidAction"),
        ("\xff\xfe".encode("latin-1"), "admin", 400, "InvalidAction"),
        (b"x" * 70_000, "admin", 413, "RequestEntityTooLarge"),
    ],
    ids=range(7),
)
def test_what_is_refused_is_told_as_sts_does(world, content, by, status, code):
    answer = world.call("POST", "/sts", by=by, content=content)
    assert answer.status_code == status
    error = xml.read(answer.content, "ErrorResponse").all("Error")[0]
    assert error.value("Code") == code
    if b"Action=A" in (content if isinstance(content, bytes) else content.encode()):
        assert error.value("Message").startswith("AssumeRole is not spoken here")


def test_a_revoked_token_is_nobody(world):
    world.services.tokens.revoke("operator", actor="test")
    assert world.call("POST", "/sts", content=FORM).status_code == 403


def test_without_tokens_everybody_is_anonymous_but_foreign_pages_are_kept_out():
    world = World(auth=False)
    assert (
        "assumed-role/parkade-admin/anonymous"
        in world.call("POST", "/sts", by=None, content=FORM).text
    )
    headers = {"Origin": "https://evil.example", "Host": "localhost:8700"}
    answer = world.call("POST", "/sts", by=None, content=FORM, headers=headers)
    assert (answer.status_code, b"AccessDenied" in answer.content) == (403, True)
