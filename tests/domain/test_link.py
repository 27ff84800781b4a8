"""Links: what is signed comes back, and nothing else does."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkade.domain.link import Link, link_key, opened, signed
from tests.builders import NOW, minutes

KEY = link_key(b"server key")
LINK = Link(
    endpoint_name="falcon",
    lease_made_at=NOW.replace(microsecond=123_457),
    amount=minutes(30),
    expires_at=NOW + minutes(60),
    nonce="abc",
)


def test_a_link_comes_back_as_it_was_signed():
    assert opened(signed(LINK, KEY), KEY) == LINK


def test_it_fits_a_url_and_the_mail_that_holds_it():
    token = signed(replace(LINK, endpoint_name="e" * 63, nonce="n" * 22), KEY)
    assert len(token) < 250
    assert token.replace(".", "").replace("-", "").replace("_", "").isalnum()


def test_the_key_of_the_server_is_not_the_key_of_links():
    assert opened(signed(LINK, b"server key"), KEY) is None
    assert opened(signed(LINK, KEY), link_key(b"other")) is None


@given(st.data())
def test_a_token_with_any_character_changed_or_lost_is_nobodys(data):
    token = signed(LINK, KEY)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("AZaz09-_.=+/ é"))
    changed = token[:place] + other + token[place + 1 :]
    if changed != token:
        assert opened(changed, KEY) is None
    assert opened(token[:place] + token[place + 1 :], KEY) is None or (
        token[:place] + token[place + 1 :] == token
    )


def test_a_token_has_one_spelling():
    """The last character of a signature has two bits that nobody reads."""
    token = signed(LINK, KEY)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place = alphabet.index(token[-1])
    for other in range(place - place % 4, place - place % 4 + 4):
        spelt = token[:-1] + alphabet[other]
        assert (opened(spelt, KEY) is not None) is (other == place)


def test_what_is_signed_has_one_spelling_too():
    """The alphabet of URLs has `-` and `_` where another one has `+` and `/`."""
    token = signed(replace(LINK, endpoint_name="ÿ~?" * 6), KEY)
    assert opened(token, KEY) is not None
    body, _, mac = token.partition(".")
    spelt = body.replace("-", "+").replace("_", "/")
    assert spelt != body
    assert opened(f"{spelt}.{mac}", KEY) is None


@pytest.mark.parametrize("token", ["", ".", "a.b", "é.é", "a" * 5000, "a.b.c", "%00.%00"])
def test_what_was_never_a_token_is_nobodys(token):
    assert opened(token, KEY) is None
