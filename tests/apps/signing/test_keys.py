"""The access keys of tokens."""

from __future__ import annotations

import re

from parkade.apps.signing.keys import access_key, signing_key

KEY = bytes(range(32))


def test_a_key_has_the_form_that_aws_clients_expect() -> None:
    for number in range(200):
        key = access_key(KEY, f"{number:064x}")
        assert re.fullmatch(r"PKIA[A-Z2-7]{16}", key.id)
        assert re.fullmatch(r"[A-Za-z0-9+/]{40}", key.secret)


def test_it_is_the_same_for_ever_and_anothers_is_another() -> None:
    first = access_key(KEY, "a")
    access_key.cache_clear()
    assert access_key(KEY, "a") == first
    others = (access_key(KEY, "b"), access_key(KEY[::-1], "a"))
    assert len({first.id, first.secret, *(key.id for key in others)}) == 4
    assert first.secret not in {key.secret for key in others}


def test_it_is_not_shown_by_accident() -> None:
    key = access_key(KEY, "a")
    assert key.secret not in repr(key)


def test_a_signing_key_is_the_one_of_the_published_example() -> None:
    # From AWS's description of signature version 4.
    key = signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830", "us-east-1", "iam")
    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
