"""Tokens: shown once, recognised by their keyed hash."""

from datetime import timedelta

import pytest

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.tokens import MemoryTokenStore
from parkade.domain.errors import AlreadyExists, InvalidInput, TokenNotFound, Unauthenticated
from parkade.domain.token import Role
from parkade.ports.events import EventQuery
from parkade.services.tokens import Tokens, digest
from tests.builders import NOW

KEY = b"k" * 32
CODE = "0123456789abcdef"


class Desk:
    def __init__(self):
        self.clock = ManualClock(NOW)
        self.history = MemoryHistory()
        self.store = MemoryTokenStore(self.history)
        self.tokens = Tokens(self.store, clock=self.clock, key=lambda: KEY)

    def create(self, name="ann", **changes):
        asked = {"role": Role.OPERATOR, "endpoints": (), "lifetime": None, "actor": "root"}
        return self.tokens.create(name, **{**asked, **changes})

    def events(self):
        return list(self.history.read(EventQuery()))


def test_a_token_is_recognised_by_its_secret_alone():
    desk = Desk()
    token, secret = desk.create(endpoints=["falcon"])
    desk.create("bob")
    assert secret.startswith("pk_")
    assert len(secret) > 40
    assert desk.tokens.authenticate(secret) == token
    assert token.endpoints == {"falcon"}


def test_neither_store_nor_history_hold_the_secret():
    desk = Desk()
    token, secret = desk.create()
    assert secret not in repr(desk.store.all())
    assert secret not in repr(desk.events())
    assert token.digest == digest(KEY, secret)
    assert token.digest != digest(b"another key", secret)


def test_a_pass_code_of_ones_own_is_taken():
    desk = Desk()
    token, secret = desk.create(secret=CODE + "\n")
    assert secret == CODE
    assert desk.tokens.authenticate(CODE) == token
    with pytest.raises(AlreadyExists):
        desk.create("bob", secret=CODE)


def test_making_and_revoking_are_recorded():
    desk = Desk()
    desk.create(lifetime=timedelta(days=30), endpoints=["flan", "falcon"])
    desk.tokens.revoke("ann", actor="root")
    created, revoked = desk.events()
    assert (created.kind, created.actor) == ("token.created", "root")
    assert created.data == {
        "name": "ann",
        "role": "operator",
        "endpoints": ["falcon", "flan"],
        "expires_at": "2026-03-31T12:00:00Z",
    }
    assert (revoked.kind, revoked.data) == ("token.revoked", {"name": "ann"})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "a b"}, "name"),
        ({"endpoints": ["a_b"]}, "endpoints"),
        ({"secret": "short"}, "token"),
        ({"secret": ""}, "token"),
        ({"lifetime": timedelta(0)}, "expires"),
        ({"lifetime": timedelta(days=-1)}, "expires"),
        ({"lifetime": timedelta.max}, "expires"),
    ],
)
def test_what_cannot_be_a_token_is_refused(changes, field):
    desk = Desk()
    with pytest.raises(InvalidInput) as refusal:
        desk.create(**changes)
    assert refusal.value.field == field
    assert desk.tokens.all() == []


def test_a_name_is_taken_for_ever():
    desk = Desk()
    desk.create()
    desk.tokens.revoke("ann", actor="root")
    with pytest.raises(AlreadyExists):
        desk.create()


def test_a_revoked_token_is_refused_and_stays_as_it_was():
    desk = Desk()
    _, secret = desk.create()
    revoked = desk.tokens.revoke("ann", actor="root")
    assert revoked.revoked_at == NOW
    desk.clock.advance(timedelta(days=1))
    assert desk.tokens.revoke("ann", actor="root") == revoked
    assert len(desk.events()) == 2
    with pytest.raises(Unauthenticated, match="'ann' was revoked"):
        desk.tokens.authenticate(secret)


def test_a_token_expires():
    desk = Desk()
    _, secret = desk.create(lifetime=timedelta(days=30))
    desk.clock.set(NOW + timedelta(days=30) - timedelta.resolution)
    desk.tokens.authenticate(secret)
    desk.clock.set(NOW + timedelta(days=30))
    with pytest.raises(Unauthenticated, match="'ann' has expired"):
        desk.tokens.authenticate(secret)


@pytest.mark.parametrize("secret", ["", "pk_unknown", "ä" * 20, "\udcff"])
def test_an_unknown_secret_is_refused(secret):
    desk = Desk()
    desk.create()
    with pytest.raises(Unauthenticated, match="unknown") as refusal:
        desk.tokens.authenticate(secret)
    assert refusal.value.hint


def test_only_what_exists_is_revoked():
    with pytest.raises(TokenNotFound):
        Desk().tokens.revoke("ann", actor="root")
