"""Sleep and wake: who asks for what is asleep, and who puts what is awake to sleep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.services.sleeping import Sleeping
from parkade.services.waking import Waking

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.apps.parts.stores import Stores
    from parkade.domain.price import Sum
    from parkade.domain.standing import Refusal
    from parkade.ports.clock import Clock
    from parkade.ports.hosting import Hosting
    from parkade.ports.leases import LeaseBook
    from parkade.ports.usage import Usage
    from parkade.services.terms import TermsBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What sleep and wake work with."""

    stores: Stores
    book: LeaseBook
    hosting: Hosting
    terms: TermsBook
    usage: Usage | None
    clock: Clock
    #: Why the time that a request would buy is not paid for.
    refusal: Refusal
    #: What an endpoint costs an hour with a config.
    hourly: Callable[[str, str], Sum]
    changed: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slumber:
    """What the apps need of sleep and wake."""

    #: Takes the asks of gateways, of the backlog and of people: `services.waking.asks.ask(...)`.
    asks: Waking
    #: Tells how endpoints sleep, and puts them to sleep when people say so.
    sleeping: Sleeping


def build(ports: Ports) -> Slumber:
    """Build it."""
    return Slumber(
        asks=Waking(
            book=ports.book,
            terms=ports.stores.terms,
            clock=ports.clock,
            changed=ports.changed,
            refusal=ports.refusal,
        ),
        sleeping=Sleeping(
            terms=ports.terms,
            book=ports.book,
            hosting=ports.hosting,
            usage=ports.usage,
            clock=ports.clock,
            hourly=ports.hourly,
            changed=ports.changed,
        ),
    )
