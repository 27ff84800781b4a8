"""The page behind the link of a notice: `/x/<token>`, for whoever holds one, without a login.

GET shows what the link is good for and changes nothing, so that programs that look at mail are
harmless; its one button sends the POST that extends. The page brings all it needs with it.
"""

from __future__ import annotations

import base64
import hashlib
import html
import logging
import math
from datetime import UTC
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse

from parkade.apps.api.errors import status
from parkade.apps.gateway.admission import Bucket
from parkade.domain.errors import ParkadeError
from parkade.domain.link import LinkState
from parkade.domain.spans import duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

    from parkade.apps.assembly import Services
    from parkade.domain.lease import Lease
    from parkade.domain.link import Link
    from parkade.services.links import Offer

logger = logging.getLogger(__name__)

#: Looks and uses of all links together: a second, for long, and at once.
_RATE, _BURST = 10.0, 40.0


def serve(app: FastAPI, services: Services) -> None:
    """Serve the page."""
    app.add_route("/x/{token}", LinkPage(services).answer, methods=["GET", "HEAD", "POST"])


class LinkPage:
    """Answers what is asked of links, no faster than it should be."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._bucket = Bucket(_RATE, _BURST)
        folder = files("parkade.apps.api") / "pages"
        self._page = Template((folder / "link.html").read_text(encoding="utf-8"))
        self._style = (folder / "link.css").read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self._policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )

    async def answer(self, request: Request) -> Response:
        """Show the link, or use it."""
        wait = self._bucket.take()
        if wait:
            return self._sorry(
                429,
                "Too many at once",
                "More people ask for links than is usual. Try again in a moment.",
                retry_after=wait,
            )
        token = str(request.path_params["token"])
        try:
            if request.method == "POST":
                offer, extended = self._services.outbox.links.use(token)
                if extended is not None:
                    return self._done(extended, offer)
            else:
                offer = self._services.outbox.links.look(token)
        except ParkadeError as error:
            logger.warning("a link could not be used: %s", error.message)
            return self._sorry(status(error), "That is not possible now", error.message)
        return self._shown(offer)

    def _shown(self, offer: Offer) -> Response:
        link, lease = offer.link, offer.lease
        if offer.state is LinkState.OPEN and link is not None and lease is not None:
            return self._open(link, lease, offer.price)
        name = link.endpoint_name if link is not None else ""
        if offer.state is LinkState.USED:
            when = f" on {_instant(offer.used_at)}" if offer.used_at is not None else ""
            return self._sorry(
                410,
                "This link was used",
                f"It added its time to {name}{when}. A link counts once.",
                name=name,
                facts=[("Paid until", self._paid_until(lease))] if lease is not None else [],
            )
        if offer.state is LinkState.EXPIRED:
            return self._sorry(
                410,
                "This link is over",
                f"It could be used for {name} for some time only.",
                name=name,
            )
        if offer.state is LinkState.GONE:
            return self._sorry(
                410, "There is nothing to extend", f"The lease of {name} was removed."
            )
        return self._sorry(
            404,
            "This link is not known here",
            "Perhaps a part of it was lost on its way: open it from the notice again.",
        )

    def _open(self, link: Link, lease: Lease, price: str) -> Response:
        now = self._services.clock.now()
        over = lease.over(now)
        amount = duration(link.amount)
        facts = [
            ("Time left", "none" if over else duration(lease.time_left(now))),
            ("Ended" if over else "Paid until", self._paid_until(lease)),
            ("This adds", amount),
        ]
        if price:
            facts.append(("Price", price))
        lead = f"It is over: {lease.reason_over()}. " if over else ""
        return self._answer(
            200,
            title=f"{link.endpoint_name}: {amount} more",
            tone="bad" if over else "warn",
            state="It has stopped" if over else "Its time runs out",
            heading=link.endpoint_name,
            lead=f"{lead}Add {amount} with one press; no login is needed.",
            facts=facts,
            button=f"Start it again for {amount}" if over else f"Add {amount}",
            note=f"The link counts once, and is good until {_instant(link.expires_at)}.",
        )

    def _done(self, lease: Lease, offer: Offer) -> Response:
        amount = duration(offer.link.amount) if offer.link is not None else "its time"
        now = self._services.clock.now()
        before = offer.lease
        starts = before is not None and before.over(now)
        return self._answer(
            200,
            title=f"{lease.endpoint_name}: {amount} added",
            tone="good",
            state="It is being started again" if starts else "Done",
            heading=f"{amount} added",
            lead=f"{lease.endpoint_name} is paid until {self._paid_until(lease)}.",
            facts=[("Time left", duration(lease.time_left(now)))],
            note="This link is used up; the next notice brings another one.",
        )

    def _paid_until(self, lease: Lease) -> str:
        return _instant(lease.expiry(self._services.clock.now()))

    def _sorry(
        self,
        code: int,
        heading: str,
        lead: str,
        *,
        name: str = "ENDPOINT",
        facts: Sequence[tuple[str, str]] = (),
        retry_after: float = 0,
    ) -> Response:
        answer = self._answer(
            code,
            title=heading,
            tone="bad",
            state="Nothing was changed",
            heading=heading,
            lead=lead,
            facts=facts,
            note=f"With a login: parkade extend {name} --minutes 30",
        )
        if retry_after:
            answer.headers["Retry-After"] = str(math.ceil(retry_after))
        return answer

    def _answer(
        self,
        code: int,
        *,
        title: str,
        tone: str,
        state: str,
        heading: str,
        lead: str,
        facts: Sequence[tuple[str, str]] = (),
        button: str = "",
        note: str = "",
    ) -> Response:
        rows = "".join(
            f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(fact)}</dd></div>"
            for name, fact in facts
        )
        # It is sent to the page's own address.
        form = f'<form method="post"><button>{html.escape(button)}</button></form>'
        content = self._page.substitute(
            style=self._style,
            tone=tone,
            title=html.escape(title),
            state=html.escape(state),
            heading=html.escape(heading),
            lead=html.escape(lead),
            facts=f"<dl>{rows}</dl>" if rows else "",
            form=form if button else "",
            note=html.escape(note),
        )
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": self._policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex",
        }
        return HTMLResponse(content, code, headers=headers)


def _instant(instant: datetime) -> str:
    """Write an instant for people anywhere."""
    return instant.astimezone(UTC).strftime("%d %b %Y, %H:%M UTC")
