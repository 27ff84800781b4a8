"""An account: which region is meant, who asks, and what is said where AWS's settings do not do."""

import os

import pytest

from parkade.adapters.aws.account import Account
from parkade.adapters.aws.refusals import calling
from parkade.domain.errors import InvalidInput, Unauthenticated
from tests.aws_account import an_account
from tests.stubbed import stubbed

#: Profiles that name what is not there any more, or never was.
_PROFILES = """
[profile signed-out]
sso_session = work
sso_account_id = 123456789012
sso_role_name = Admin
region = eu-central-1
[sso-session work]
sso_start_url = https://work.awsapps.com/start
sso_region = eu-central-1
[profile borrowed]
role_arn = arn:aws:iam::123456789012:role/x
source_profile = gone
region = eu-central-1
[profile asking]
credential_process = false
region = eu-central-1
"""


@pytest.fixture
def nowhere(monkeypatch):
    """Without any of AWS's settings."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    return monkeypatch


def test_the_region_is_the_one_given_else_that_of_the_environment_as_other_tools_take_it(nowhere):
    nowhere.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert Account().region == "eu-west-1"
    nowhere.setenv("AWS_REGION", "eu-central-1")
    assert Account().region == "eu-central-1"
    assert Account(region="us-east-1").region == "us-east-1"


@pytest.mark.usefixtures("nowhere")
def test_without_a_region_it_says_where_one_is_looked_for():
    with pytest.raises(InvalidInput, match="which AWS region") as refused:
        Account()
    assert "AWS_REGION" in refused.value.hint
    assert "--region" in refused.value.hint


@pytest.mark.parametrize(
    ("profile", "error", "message", "hint"),
    [
        ("signed-out", Unauthenticated, "SSO Token", "aws sso login"),
        ("asking", Unauthenticated, "custom-process", "aws configure"),
        ("borrowed", InvalidInput, "'?gone", "aws configure list"),
        ("nobodys", Unauthenticated, "nobodys", "aws configure list-profiles"),
    ],
)
def test_a_profile_that_is_of_no_use_is_told_with_what_to_do(
    nowhere, tmp_path, profile, error, message, hint
):
    nowhere.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    # A profile of the environment is as good as one that is given.
    nowhere.setenv("AWS_PROFILE", profile)
    (tmp_path / "config").write_text(_PROFILES)
    with pytest.raises(error, match=message) as refused:
        Account().number()
    assert hint in refused.value.hint


def test_settings_that_cannot_be_read_are_no_fault_of_aws(nowhere, tmp_path):
    (tmp_path / "config").write_text("[default\n")
    nowhere.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(InvalidInput, match="parse config file"):
        Account()


@pytest.mark.usefixtures("nowhere")
def test_a_region_of_no_form_is_invalid():
    account = Account(region="no where")
    with pytest.raises(InvalidInput, match="no where"):
        account.number()


def test_an_address_that_is_none_is_told_by_the_variable_that_names_it(nowhere):
    nowhere.setenv("AWS_ENDPOINT_URL", "localhost:4566")
    with (
        pytest.raises(InvalidInput, match="localhost:4566") as refused,
        calling("the lease table cannot be read"),
    ):
        Account(region="us-east-1").client("dynamodb")
    assert refused.value.field == "AWS_ENDPOINT_URL"


def test_the_number_of_an_account_is_asked_for_once(aws_config):
    account = an_account(aws_config)
    with stubbed(account, "sts") as (stub, asked):
        stub.add_response("get_caller_identity", {"Account": "123456789012"})
        assert [account.number() for _ in range(3)] == ["123456789012"] * 3
    assert len(asked) == 1
