"""Sleep and wake: who asks for what is asleep, and who puts what is awake to sleep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.adapters.sqlite.terms import SqliteTermsStore
from parkade.services.waking import Waking

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.adapters.sqlite.database import Database
    from parkade.ports.clock import Clock
    from parkade.ports.leases import LeaseBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What sleep and wake work with."""

    database: Database
    book: LeaseBook
    clock: Clock
    changed: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slumber:
    """What the apps need of sleep and wake."""

    #: Takes the asks of gateways, of the backlog and of people: `services.waking.asks.ask(...)`.
    asks: Waking


def build(ports: Ports) -> Slumber:
    """Build it."""
    return Slumber(
        asks=Waking(
            book=ports.book,
            terms=SqliteTermsStore(ports.database),
            clock=ports.clock,
            changed=ports.changed,
        )
    )
