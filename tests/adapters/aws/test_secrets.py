"""The server's key, from Secrets Manager."""

import pytest

from parkade.adapters.aws.secrets import forget, server_key
from parkade.domain.errors import Forbidden, InvalidInput, Throttled, Unreadable
from tests.aws_account import unique
from tests.stubbed import stubbed


@pytest.fixture(autouse=True)
def _forgotten():
    forget()
    yield
    forget()


def a_secret(account, **content):
    return account.client("secretsmanager").create_secret(Name=unique("key"), **content)["ARN"]


@pytest.mark.parametrize("content", [{"SecretString": "k" * 40}, {"SecretBinary": b"k" * 40}])
def test_the_key_is_what_the_secret_holds_and_is_read_once(aws, content):
    arn = a_secret(aws, **content)
    assert server_key(aws, arn) == b"k" * 40
    aws.client("secretsmanager").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    assert server_key(aws, arn) == b"k" * 40
    forget()
    with pytest.raises(InvalidInput, match="no secret"):
        server_key(aws, arn)


def test_two_secrets_are_two_keys(aws):
    one, two = (a_secret(aws, SecretString=each * 32) for each in "ab")
    assert server_key(aws, one) != server_key(aws, two)


def test_what_could_be_guessed_is_no_key(aws):
    with pytest.raises(Unreadable, match="31 bytes"):
        server_key(aws, a_secret(aws, SecretString="k" * 31))


@pytest.mark.parametrize(
    ("code", "error"),
    [("AccessDeniedException", Forbidden), ("ThrottlingException", Throttled)],
)
def test_a_key_that_cannot_be_read_is_asked_for_again(aws, code, error):
    with stubbed(aws, "secretsmanager") as (stub, _):
        stub.add_client_error("get_secret_value", code, "no")
        with pytest.raises(error, match=code):
            server_key(aws, "arn")
        stub.add_response("get_secret_value", {"SecretString": "k" * 32})
        assert server_key(aws, "arn") == b"k" * 32
