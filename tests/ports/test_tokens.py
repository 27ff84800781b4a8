"""The contract of the token store."""

from dataclasses import replace

import pytest

from parkade.domain.errors import AlreadyExists, TokenNotFound
from parkade.domain.token import Role
from tests.builders import NOW, a_token, an_event, minutes
from tests.ports.stores import kinds_of


def test_every_field_comes_back(store):
    token = a_token(
        role=Role.INVOKER,
        endpoints=frozenset({"falcon", "flan"}),
        expires_at=NOW + minutes(1),
        revoked_at=NOW,
    )
    store.tokens.add(token, an_event("token.created"))
    assert store.tokens.all() == [token]


def test_all_returns_revoked_tokens_as_well_in_the_order_of_names(store):
    for name in ("b", "a", "C"):
        store.tokens.add(a_token(name, revoked_at=NOW), an_event("token.created"))
    assert [token.name for token in store.tokens.all()] == ["C", "a", "b"]


def test_a_name_is_taken_for_ever(store):
    token = a_token(revoked_at=NOW, expires_at=NOW)
    store.tokens.add(token, an_event("token.created"))
    with pytest.raises(AlreadyExists, match="ann"):
        store.tokens.add(a_token(digest="another"), an_event("token.created"))
    assert store.tokens.all() == [token]
    assert kinds_of(store.history) == ["token.created"]


def test_a_digest_is_taken_for_ever(store):
    store.tokens.add(a_token("ann", digest="same"), an_event("token.created"))
    with pytest.raises(AlreadyExists):
        store.tokens.add(a_token("bob", digest="same"), an_event("token.created"))
    store.tokens.add(a_token("bob", digest="other"), an_event("token.created"))
    with pytest.raises(AlreadyExists):
        store.tokens.replace(a_token("bob", digest="same"), an_event("token.changed"))
    assert kinds_of(store.history) == ["token.created"] * 2


def test_replace_stores_over_the_token_of_the_name(store):
    token = a_token()
    store.tokens.add(token, an_event("token.created"))
    revoked = replace(token, revoked_at=NOW)
    store.tokens.replace(revoked, an_event("token.revoked"))
    assert store.tokens.all() == [revoked]
    assert kinds_of(store.history) == ["token.created", "token.revoked"]


def test_replace_of_an_unknown_name_stores_nothing(store):
    with pytest.raises(TokenNotFound, match="ann"):
        store.tokens.replace(a_token(), an_event("token.revoked"))
    assert store.tokens.all() == []
    assert kinds_of(store.history) == []


def test_find_returns_the_token_with_the_digest_revoked_or_not(store):
    store.tokens.add(a_token("ann"), an_event("token.created"))
    revoked = a_token("bob", revoked_at=NOW)
    store.tokens.add(revoked, an_event("token.created"))
    assert store.tokens.find(revoked.digest) == revoked
    assert store.tokens.find("digest-of-nobody") is None
    assert store.tokens.find("bob") is None


def test_a_token_is_found_by_its_new_digest_alone(store):
    store.tokens.add(a_token("ann"), an_event("token.created"))
    other = a_token("ann", digest="another")
    store.tokens.replace(other, an_event("token.changed"))
    assert store.tokens.find("another") == other
    assert store.tokens.find(a_token("ann").digest) is None
    assert store.tokens.all() == [other]
    # Its former secret can be another token's now.
    store.tokens.add(a_token("bob", digest=a_token("ann").digest), an_event("token.created"))
    with pytest.raises(AlreadyExists):
        store.tokens.replace(a_token("bob", digest="another"), an_event("token.changed"))


def test_a_token_that_gets_one_secret_after_the_other_has_the_last(store):
    store.tokens.add(a_token("ann"), an_event("token.created"))
    for digest in ("second", "third"):
        store.tokens.replace(a_token("ann", digest=digest), an_event("token.changed"))
    assert [token.digest for token in store.tokens.all()] == ["third"]
    assert store.tokens.find("second") is None
