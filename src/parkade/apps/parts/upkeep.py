"""What the meter does by itself about leased and watched endpoints: terms, the maintainer, undo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.watching import Opting, Watched
from parkade.services.affording import Affording
from parkade.services.bookings import Bookings, Reserve, unlimited
from parkade.services.circumstances import BudgetSource, Surroundings
from parkade.services.idling import Idling
from parkade.services.leaving import Leaving
from parkade.services.maintainer import Maintainer
from parkade.services.maintaining import Maintaining
from parkade.services.meter import Admit, free
from parkade.services.paying import Paying
from parkade.services.snoozing import Snoozing
from parkade.services.starts import COUNTED, Starts
from parkade.services.tagging import Tagging
from parkade.services.telling import Teller
from parkade.services.terms import TermsBook
from parkade.services.undo import Undo
from parkade.services.why import Whys

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.apps.parts.stores import Stores
    from parkade.apps.serverfile import ServerFile
    from parkade.domain.lease import LeaseRules
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.hosting import Hosting
    from parkade.ports.inventory import Inventory
    from parkade.ports.leases import LeaseBook
    from parkade.ports.notices import Notices
    from parkade.ports.remains import RemainsStore
    from parkade.ports.usage import Usage
    from parkade.ports.watches import WatchStore
    from parkade.services.meter import Meter


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the upkeep works with."""

    stores: Stores
    catalog: Inventory
    book: LeaseBook
    hosting: Hosting
    history: History
    notices: Notices
    clock: Clock
    #: None: nothing is known of how endpoints are used, so none is ever idle.
    usage: Usage | None
    file: Callable[[], ServerFile]
    rules: Callable[[], LeaseRules]
    changed: Callable[[], None]
    #: What holds payments, and bookings, to budgets.
    admit: Admit = free
    reserve: Reserve = unlimited
    #: Gives one that answers many questions of one instant.
    at_once: Callable[[], Admit] = lambda: free
    #: Knows whose budget is used up; None: nobody's ever is.
    budgets: BudgetSource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """The services of this area."""

    terms: TermsBook
    #: What the maintainer remembers, and what is left of endpoints that went.
    watches: WatchStore
    remains: RemainsStore
    bookings: Bookings
    #: How long endpoints take to start.
    starts: Starts
    paying: Paying
    #: Whether the time that requests would buy is paid for.
    affording: Affording
    maintainer: Maintainer
    #: What the sweep's decisions rest on beside leases and endpoints.
    around: Surroundings
    idling: Idling
    #: Called before a lease is removed.
    leaving: Leaving
    maintaining: Maintaining
    snoozing: Snoozing
    tagging: Tagging
    whys: Whys


def build(ports: Ports) -> Upkeep:
    """Build the services of this area."""
    watches, remains = ports.stores.watches, ports.stores.remains
    terms_store = ports.stores.terms
    terms = TermsBook(terms_store, book=ports.book, clock=ports.clock, changed=ports.changed)
    maintainer = Maintainer(watches, ports.catalog, opting=lambda: opting(ports.file()))
    starts = _starts(ports)
    bookings = _bookings(ports, starts)
    around = Surroundings(
        maintainer=maintainer,
        usage=ports.usage,
        terms=terms,
        bookings=bookings,
        starts=starts,
        budgets=ports.budgets,
    )
    leaving = Leaving(ports.catalog, terms_store, remains)
    affording = Affording(
        clock=ports.clock, rules=ports.rules, admit=ports.admit, at_once=ports.at_once
    )
    return Upkeep(
        terms=terms,
        watches=watches,
        remains=remains,
        bookings=bookings,
        starts=starts,
        paying=Paying(
            book=ports.book,
            hosting=ports.hosting,
            teller=Teller(ports.history, ports.notices),
            rules=ports.rules,
            changed=ports.changed,
            admit=ports.admit,
        ),
        affording=affording,
        maintainer=maintainer,
        around=around,
        leaving=leaving,
        idling=Idling(
            watches=watches,
            catalog=ports.catalog,
            book=ports.book,
            hosting=ports.hosting,
            clock=ports.clock,
            rules=ports.rules,
            around=around,
            leaving=leaving,
            history=ports.history,
            notices=ports.notices,
        ),
        maintaining=Maintaining(terms, ports.catalog, opting=lambda: opting(ports.file())),
        snoozing=Snoozing(
            watches=watches,
            book=ports.book,
            hosting=ports.hosting,
            usage=ports.usage,
            clock=ports.clock,
            usual=lambda: timedelta(minutes=ports.file().maintain.snooze_minutes),
            rules=ports.rules,
            changed=ports.changed,
        ),
        tagging=Tagging(
            catalog=ports.catalog,
            book=ports.book,
            hosting=ports.hosting,
            history=ports.history,
            clock=ports.clock,
            changed=ports.changed,
        ),
        whys=Whys(
            book=ports.book,
            hosting=ports.hosting,
            history=ports.history,
            clock=ports.clock,
            rules=ports.rules,
            around=around,
            usage=ports.usage,
            expected=starts.expected,
            refusal=affording.refusal,
        ),
    )


def undo(ports: Ports, upkeep: Upkeep, meter: Meter) -> Undo:
    """Build what brings endpoints back; it pays by the meter, which is built on the upkeep."""
    return Undo(
        remains=ports.stores.remains,
        catalog=ports.catalog,
        meter=meter,
        hosting=ports.hosting,
        history=ports.history,
        terms=upkeep.terms,
        clock=ports.clock,
        kept=lambda: timedelta(days=ports.file().maintain.undo_days),
        leases_only=lambda: ports.file().unmetered == "refuse",
        changed=ports.changed,
    )


def _starts(ports: Ports) -> Starts:
    return Starts(
        ports.history,
        margin=lambda: timedelta(seconds=ports.file().keep.lead_seconds),
        first=lambda: timedelta(seconds=ports.file().keep.first_lead_seconds),
        since=lambda: ports.clock.now() - COUNTED,
    )


def _bookings(ports: Ports, starts: Starts) -> Bookings:
    return Bookings(
        ports.stores.bookings,
        book=ports.book,
        hosting=ports.hosting,
        history=ports.history,
        starts=starts,
        clock=ports.clock,
        rules=ports.rules,
        changed=ports.changed,
        reserve=ports.reserve,
    )


def opting(file: ServerFile) -> Opting:
    """Return what the settings say about whom the maintainer watches."""
    maintain = file.maintain
    return Opting(
        watched=Watched(maintain.watch),
        tag_key=maintain.tag_key,
        tag_value=maintain.tag_value,
        rules=maintain.rules(),
    )
