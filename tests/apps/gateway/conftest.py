"""One gateway for a module's tests, where they do not need one of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.apps.gateway.stand import Stand, stand

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def shared() -> Iterator[Stand]:
    with stand() as made:
        yield made


@pytest.fixture
def house(shared: Stand) -> Stand:
    """The module's gateway, as it was at first; worker names must not repeat in a module."""
    shared.push(
        endpoints={},
        routes={},
        auth=True,
        tokens=(shared.token_view("tests", "pk_token-of-the-tests"),),
        limits=shared.limits(),
    )
    return shared
