"""What owners settle with the maintainer: whether it watches, and by which timers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from parkade.domain import watching
from parkade.domain.errors import Conflict
from parkade.domain.watching import Watched
from parkade.services.maintainer import ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.domain.terms import Terms
    from parkade.domain.watching import Asked, Opting
    from parkade.ports.inventory import TagStore
    from parkade.services.terms import TermsBook


class Maintaining:
    """Settles the maintainer's part of a lease's terms."""

    def __init__(
        self, terms: TermsBook, catalog: TagStore, *, opting: Callable[[], Opting]
    ) -> None:
        self._terms = terms
        self._catalog = catalog
        self._opting = opting

    def asked(self, endpoint_name: str) -> Asked | None:
        """Return how an endpoint is watched once it is in service; None: not at all.

        Raises Unreadable where its tags or terms are damaged.
        """
        tags = self._catalog.tags(ENDPOINT, endpoint_name)
        return watching.asked(self._opting(), tags, self._terms.get(endpoint_name))

    def watch(self, endpoint_name: str, timers: Mapping[str, Any], *, actor: str) -> Asked | None:
        """Opt in, and change these timers of its ladder; the others stay as they are.

        Raises InvalidInput for a timer out of its range, Conflict where the server's maintainer
        watches nothing, and LeaseNotFound.
        """
        opting = self._opting()
        if opting.watched is Watched.NONE:
            raise Conflict(
                "the maintainer of this server watches no endpoint",
                hint="set maintain.watch to tagged in server.yaml, then: parkade reload",
            )
        tags = self._catalog.tags(ENDPOINT, endpoint_name)

        def decide(held: Terms) -> Terms:
            if not timers:
                return replace(held, maintain=True)
            present = held.idle or watching.tagged_rules(opting.tag_key, tags, opting.rules)[0]
            return replace(held, maintain=True, idle=replace(present, **timers))

        self._terms.change(endpoint_name, actor, decide)
        return self.asked(endpoint_name)

    def leave_alone(self, endpoint_name: str, *, actor: str) -> Asked | None:
        """Opt out, whatever the tags say. Raises Conflict where nobody can, and LeaseNotFound."""
        if self._opting().watched is Watched.ALL:
            raise Conflict(
                "the maintainer of this server watches every endpoint (maintain.watch: all)",
                hint=f"postpone it: parkade snooze {endpoint_name}",
            )
        self._terms.change(endpoint_name, actor, lambda held: replace(held, maintain=False))
        return self.asked(endpoint_name)

    def by_tag(self, endpoint_name: str, *, actor: str) -> Asked | None:
        """Let the tags say whether it is watched, and by which timers. Raises LeaseNotFound."""
        self._terms.change(
            endpoint_name, actor, lambda held: replace(held, maintain=None, idle=None)
        )
        return self.asked(endpoint_name)
