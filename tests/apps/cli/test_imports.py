"""Leases and pass codes of the original endpoint manager, taken over from an account at moto."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from parkade.apps import identity
from parkade.apps.cli import session
from parkade.apps.statefolder import StatePaths
from parkade.domain.errors import Unauthenticated
from parkade.domain.lease import EndReason
from parkade.domain.token import Role
from tests.aws_account import unique
from tests.builders import NOW, minutes

SESAME = "sesame-open-sesame"
LATER = NOW + minutes(90)
ALADDIN = "aladdin-and-his-lamp"


@pytest.fixture
def desk(desk, aws_config):
    """The desk of somebody whose AWS configuration leads to moto."""
    desk.environment["AWS_CONFIG_FILE"] = str(aws_config)
    return desk


class Parameters:
    """The parameters of one team, below a path of their own."""

    def __init__(self, client, prefix):
        self.client = client
        self.prefix = prefix

    def put(self, name="text", expires_at=LATER, **changes):
        value = {
            "expiry": expires_at.strftime("%d-%m-%Y-%H-%M-%S"),
            "endpoint_name": name,
            "endpoint_config_name": "falcon-config",
            **changes,
        }
        self.write(name, json.dumps(value))

    def write(self, name, text):
        self.client.put_parameter(
            Name=f"{self.prefix}/{name}", Value=text, Type="String", Overwrite=True
        )

    @property
    def names(self):
        pages = self.client.get_paginator("get_parameters_by_path").paginate(Path=self.prefix)
        found = [each["Name"] for page in pages for each in page["Parameters"]]
        return sorted(each.rpartition("/")[2] for each in found)


@pytest.fixture
def parameters(aws):
    return Parameters(aws.client("ssm"), f"/{unique('team')}/endpoint/expiry")


def imported(desk, parameters, *options, status=0):
    """What became of each endpoint."""
    result = desk.run(
        "leases", "import", "--from", "ssm", "--prefix", parameters.prefix, "--json", *options
    )
    assert result.exit_code == status, result.output
    told = json.loads(result.stdout)
    return {each["parameter"].rpartition("/")[2]: each for each in told}


def outcomes(told):
    return {name: each["outcome"] for name, each in told.items()}


def leases_of(desk):
    return {each.endpoint_name: each for each in desk.world.services.meter.all().leases}


def test_each_lease_is_taken_over_with_its_expiry(desk, parameters):
    parameters.put(expires_at=NOW + timedelta(minutes=90, seconds=7))
    assert outcomes(imported(desk, parameters, "--owner", "bob")) == {"text": "added"}
    lease = leases_of(desk)["text"]
    assert lease.expires_at == NOW + timedelta(minutes=90, seconds=7)
    assert (lease.config_name, lease.owner, lease.ended) == ("falcon-config", "bob", None)


def test_what_is_over_is_kept_as_over_and_can_be_started_again(desk, parameters):
    parameters.put(expires_at=NOW - timedelta(days=400))
    assert outcomes(imported(desk, parameters)) == {"text": "added as over"}
    lease = leases_of(desk)["text"]
    assert (lease.ended, lease.expires_at) == (EndReason.EXPIRED, NOW - timedelta(days=400))
    desk.world.sweep()
    assert "text" not in desk.world.hosting.endpoints()
    assert "starting" in desk.ok("start", "text", "--minutes", "5")


def test_any_number_of_leases_is_read(desk, parameters):
    names = [f"text-{number}" for number in range(25)]
    for name in names:
        parameters.put(name)
    assert outcomes(imported(desk, parameters)) == dict.fromkeys(names, "added")
    assert sorted(leases_of(desk)) == sorted(names)


def test_doing_it_again_changes_nothing(desk, parameters):
    parameters.put()
    imported(desk, parameters)
    desk.ok("extend", "text", "--minutes", "10")
    before = leases_of(desk)
    again = imported(desk, parameters)
    assert outcomes(again) == {"text": "unchanged"}
    assert "it has a lease until 2026-03-01 13:40:00 UTC" in again["text"]["reason"]
    assert leases_of(desk) == before


BAD = {
    "torn": ("{", "not JSON"),
    "list": ("[1]", "no JSON object"),
    "empty": ("{}", "endpoint_name"),
    "name": (
        '{"endpoint_name": "bad name", "endpoint_config_name": "c", "expiry": "x"}',
        "bad name",
    ),
    "config": ('{"endpoint_name": "a", "expiry": "01-03-2026-12-00-00"}', "endpoint_config_name"),
    "soon": ('{"endpoint_name": "a", "endpoint_config_name": "c", "expiry": "soon"}', "dd-mm-YYYY"),
    "day": (
        '{"endpoint_name": "a", "endpoint_config_name": "c", "expiry": "31-02-2026-12-00-00"}',
        "dd-mm-YYYY",
    ),
}


def test_a_bad_parameter_is_told_and_disturbs_no_other(desk, parameters):
    parameters.put()
    for name, (text, _) in BAD.items():
        parameters.write(name, text)
    told = imported(desk, parameters, "--remove", status=1)
    assert outcomes(told) == {"text": "added", **dict.fromkeys(BAD, "unusable")}
    assert all(why in told[name]["reason"] for name, (_, why) in BAD.items())
    assert parameters.names == sorted(BAD)


def test_what_is_refused_is_told_and_its_parameter_stays(desk, parameters):
    parameters.put()
    parameters.put("other", endpoint_config_name="unknown-config")
    parameters.put("long", expires_at=NOW + timedelta(days=300))
    parameters.put("taken", endpoint_config_name="flan-config")
    desk.ok("add", "taken", "--config", "falcon-config")
    told = imported(desk, parameters, "--remove", status=1)
    assert outcomes(told) == {
        "text": "added", "other": "refused", "long": "refused", "taken": "refused",
    }  # fmt: skip
    assert "unknown-config" in told["other"]["reason"]
    assert "ahead" in told["long"]["reason"]
    assert "it has a lease already, for falcon-config" in told["taken"]["reason"]
    assert parameters.names == ["long", "other", "taken"]
    assert told["text"]["removed"]


def test_a_dry_run_tells_the_same_and_changes_nothing(desk, parameters):
    parameters.put()
    parameters.put("gone", expires_at=NOW)
    parameters.put("other", endpoint_config_name="unknown-config")
    told = imported(desk, parameters, "--dry-run", "--remove", status=1)
    assert outcomes(told) == {"text": "added", "gone": "added as over", "other": "refused"}
    assert leases_of(desk) == {}
    assert parameters.names == ["gone", "other", "text"]


def test_a_parameter_that_is_written_meanwhile_stays(desk, parameters):
    parameters.put()
    # The original extends the lease while it is taken over.
    desk.front.looks_on = lambda _: parameters.put(expires_at=NOW + minutes(120))
    told = imported(desk, parameters, "--remove")
    assert not told["text"]["removed"]
    assert "written meanwhile" in told["text"]["reason"]
    assert parameters.names == ["text"]


def test_people_are_told_in_a_table(desk, parameters):
    parameters.put()
    parameters.write("torn", "{")
    result = desk.run("leases", "import", "--from", "ssm", "--prefix", parameters.prefix)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert any(
        "text" in line and "2026-03-01 13:30:00 UTC" in line and "added" in line for line in lines
    )
    assert any("torn" in line and "unusable: it is not JSON" in line for line in lines)


def test_nothing_to_take_over_is_told(desk, parameters):
    result = desk.run("leases", "import", "--from", "ssm", "--prefix", parameters.prefix)
    assert result.exit_code == 0
    assert f"no parameter below {parameters.prefix} in eu-west-1" in result.stderr


@pytest.fixture
def paths(desk):
    return StatePaths(state=Path(desk.environment["PARKADE_STATE"]))


@pytest.fixture
def auth(aws):
    """A table of pass codes as the original has it; returns its name and what adds an item."""
    client, name = aws.client("dynamodb"), unique("auth")
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def add(**attributes):
        spelt = {key: {"S": value} for key, value in attributes.items()}
        client.put_item(TableName=name, Item={"id": {"S": unique("id")}, **spelt})

    return name, add


def authenticated(paths, secret):
    with identity.local_tokens(paths) as tokens:
        return tokens.authenticate(secret)


def test_a_pass_code_is_accepted_and_never_shown(desk, paths, auth):
    table, add = auth
    add(token=SESAME)
    result = desk.run("token", "import", "--table", table, "--endpoint", "text")
    assert result.exit_code == 0, result.output
    token = authenticated(paths, SESAME)
    assert (token.name, token.role, token.endpoints) == (f"{table}-1", Role.OPERATOR, {"text"})
    assert SESAME not in result.output
    assert SESAME.encode() not in paths.database.read_bytes()


def test_pass_codes_taken_over_again_are_left_as_they_are(desk, paths, auth):
    table, add = auth
    add(token=SESAME)
    desk.ok("token", "import", "--table", table, "--name", "seed")
    desk.ok("token", "revoke", "seed-1")
    add(token=ALADDIN)
    told = desk.json("token", "import", "--table", table, "--name", "seed")
    assert sorted((each["name"], each["outcome"]) for each in told) == [
        ("seed-1", "unchanged"),
        ("seed-2", "made"),
    ]
    with pytest.raises(Unauthenticated, match="revoked"):
        authenticated(paths, SESAME)
    assert authenticated(paths, ALADDIN).name == "seed-2"


def test_an_attribute_can_name_them(desk, paths, auth):
    table, add = auth
    add(token=SESAME, user="ann")
    add(token=ALADDIN)
    result = desk.run("token", "import", "--table", table, "--name-attribute", "user")
    assert result.exit_code == 1
    assert "no text as its attribute 'user'" in result.stdout
    assert authenticated(paths, SESAME).name == "ann"


def test_what_is_no_pass_code_is_told_by_its_place(desk, paths, auth):
    table, add = auth
    add(token="short-code")
    add(other="nothing")
    add(token=SESAME)
    result = desk.run("token", "import", "--table", table)
    assert result.exit_code == 1
    assert "too short" in result.stdout
    assert "short-code" not in result.output
    assert "no text as its attribute 'token'" in result.stdout
    assert authenticated(paths, SESAME).live(NOW)


def test_a_table_that_is_not_there_is_told(desk):
    line = desk.error("token", "import", "--table", "nowhere")
    assert "there is no table 'nowhere' in eu-west-1" in line


def test_in_an_account_the_management_api_takes_them(desk, auth, monkeypatch):
    # The server stands for the API that runs in the process of a command.
    monkeypatch.setattr(session, "_aws", lambda _: session._server())
    table, add = auth
    add(token=SESAME)
    add(token="short-code")
    arguments = ("--cloud", "aws", "token", "import", "--table", table, "--role", "invoker",
                 "--expires", "30d")  # fmt: skip
    result = desk.run(*arguments)
    assert result.exit_code == 1
    assert "too short" in result.stdout
    token = desk.world.services.tokens.get(f"{table}-1")
    assert token.role is Role.INVOKER
    assert token.expires_at - token.created_at == timedelta(days=30)
    assert "unchanged" in desk.run(*arguments).stdout
