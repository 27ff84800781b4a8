"""Links that extend: made for notices, shown to whoever follows one, used once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain.errors import LeaseNotFound, Unreadable
from parkade.domain.event import written
from parkade.domain.link import Link, LinkState, link_key, opened, signed
from parkade.ports.events import EventQuery
from parkade.services.keys import extension_coin

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from parkade.domain.lease import Lease
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.leases import LeaseBook
    from parkade.services.meter import Meter

#: The actor of extensions by link, and the scope of their coins.
ACTOR = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRules:
    """Whether there are links, what they add, how long they are good, and where they lead."""

    enabled: bool
    amount: timedelta
    lifetime: timedelta
    #: The URL that people reach this server by; empty: not known, so there are no links.
    base_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a link is good for at this moment, as its page shows it."""

    state: LinkState
    link: Link | None = None
    lease: Lease | None = None
    #: USED: when, where the history still tells.
    used_at: datetime | None = None
    #: What the time costs, in words; empty: not known.
    price: str = ""


class Links:
    """Makes links and takes them. Times are those of the lease clock."""

    def __init__(
        self,
        *,
        book: LeaseBook,
        meter: Callable[[], Meter],
        history: History,
        clock: Clock,
        key: bytes,
        rules: Callable[[], LinkRules],
        price: Callable[[Lease, timedelta], str] = lambda _lease, _amount: "",
    ) -> None:
        """Take what it works with: the server's own key, and what tells the price of time.

        `meter` is asked for when a link is used, for it is made after whatever tells notices.
        """
        self._book = book
        self._meter = meter
        self._history = history
        self._clock = clock
        self._key = link_key(key)
        self._rules = rules
        self._price = price

    def make(self, endpoint_name: str) -> str:
        """Return the URL of a new link for the endpoint's lease; empty where there can be none."""
        rules = self._rules()
        if not rules.enabled or not rules.base_url:
            return ""
        try:
            lease = self._book.get(endpoint_name)
        except (LeaseNotFound, Unreadable):
            return ""
        now = self._clock.now()
        link = Link(
            endpoint_name=endpoint_name,
            lease_made_at=lease.created_at,
            amount=rules.amount,
            expires_at=max(now, lease.expiry(now)) + rules.lifetime,
            nonce=secrets.token_urlsafe(16),
        )
        return f"{rules.base_url.rstrip('/')}/x/{signed(link, self._key)}"

    def look(self, token: str) -> Offer:
        """Tell what the link is good for; changes nothing."""
        link = opened(token, self._key)
        if link is None:
            return Offer(state=LinkState.UNKNOWN)
        try:
            lease = self._book.get(link.endpoint_name)
        except LeaseNotFound:
            return Offer(state=LinkState.GONE, link=link)
        if lease.created_at != link.lease_made_at:
            return Offer(state=LinkState.GONE, link=link)
        paid = self._book.spent(extension_coin(link.endpoint_name, ACTOR, link.nonce, link.amount))
        if paid is not None:
            used_at = self._used_at(paid)
            return Offer(state=LinkState.USED, link=link, lease=lease, used_at=used_at)
        if not self._rules().enabled or self._clock.now() >= link.expires_at:
            return Offer(state=LinkState.EXPIRED, link=link, lease=lease)
        price = self._price(lease, link.amount)
        return Offer(state=LinkState.OPEN, link=link, lease=lease, price=price)

    def use(self, token: str) -> tuple[Offer, Lease | None]:
        """Extend the lease where the link is open; return what it was good for, and the new lease.

        A link counts once, however often and however fast it is used. Raises what extending
        raises: a limit that would be passed, a budget that is used up.
        """
        offer = self.look(token)
        if offer.state is not LinkState.OPEN or offer.link is None:
            return offer, None
        link = offer.link
        try:
            lease = self._meter().extend(
                link.endpoint_name,
                link.amount,
                actor=ACTOR,
                key=link.nonce,
                made_at=link.lease_made_at,
            )
        except LeaseNotFound:
            return Offer(state=LinkState.GONE, link=link), None
        return offer, lease

    def _used_at(self, paid: Lease) -> datetime | None:
        """Return when the extension was made that left the lease so."""
        query = EventQuery(endpoint_name=paid.endpoint_name, kinds=("lease.extended",), limit=1000)
        for event in reversed(self._history.latest(query)):
            if event.actor == ACTOR and event.data.get("expires_at") == written(paid.expires_at):
                return event.at
        return None
