"""How long the walks wait for what is to happen: on a slow machine many processes start for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests import house

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds; one wait may be for several functions that begin cold, one after the other.
PATIENCE = 4 * house.PATIENCE


def wait_for(what: Callable[[], object], *, why: str = "") -> object:
    """Return the first true answer of `what`; fail when the patience is over."""
    return house.wait_for(what, limit=PATIENCE, why=why)
