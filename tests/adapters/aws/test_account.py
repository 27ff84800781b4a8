"""An account: which region is meant."""

import os

import pytest

from parkade.adapters.aws.account import Account
from parkade.domain.errors import InvalidInput


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
