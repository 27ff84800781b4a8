"""Roles, and who may invoke what."""

from datetime import timedelta

import pytest

from parkade.domain.errors import Forbidden, InvalidInput
from parkade.domain.token import Role, pass_code
from tests.builders import NOW, a_token


@pytest.mark.parametrize("holder", list(Role))
@pytest.mark.parametrize("asked", list(Role))
def test_each_role_includes_the_ones_before_it(holder, asked):
    order = [Role.INVOKER, Role.OPERATOR, Role.ADMIN]
    allowed = order.index(holder) >= order.index(asked)
    assert holder.includes(asked) == allowed
    if allowed:
        a_token(role=holder).require(asked)
    else:
        with pytest.raises(Forbidden, match=str(asked)):
            a_token(role=holder).require(asked)


def test_a_token_lives_until_it_expires_or_is_revoked():
    assert a_token().live(NOW + timedelta(days=10_000))
    mortal = a_token(expires_at=NOW)
    assert mortal.live(NOW - timedelta.resolution)
    assert not mortal.live(NOW)
    assert not a_token(revoked_at=NOW).live(NOW)


def test_a_token_may_be_limited_to_endpoints():
    a_token().require_endpoint("falcon")
    limited = a_token(endpoints=frozenset({"flan", "bee"}))
    limited.require_endpoint("flan")
    with pytest.raises(Forbidden) as refusal:
        limited.require_endpoint("falcon")
    assert refusal.value.hint == "it is limited to bee, flan"


def test_a_pass_code_of_ones_own_is_trimmed():
    assert pass_code("  0123456789abcdef\n") == "0123456789abcdef"


@pytest.mark.parametrize(
    "text", ["", "0123456789abcde", "0123456789abcdé!", "01234567 89abcdef", "0123456789abcde\x07"]
)
def test_a_pass_code_that_fits_in_no_header_is_refused(text):
    with pytest.raises(InvalidInput) as refusal:
        pass_code(text)
    assert refusal.value.field == "token"
    assert not text or text not in str(refusal.value)
