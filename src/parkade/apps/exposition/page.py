"""Writes the page, in the form that the scraper asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.exposition import choose_encoder

from parkade.apps.exposition import families, latencies, minutes, owed, routes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from parkade.apps.exposition.picture import Picture


def write(picture: Picture, accept: str) -> tuple[bytes, str]:
    """Return the page and its content type: Prometheus' text, or OpenMetrics where asked for."""
    encode, content_type = choose_encoder(accept)
    return encode(_Collected(picture)), content_type


class _Collected:
    """What prometheus_client takes for a registry."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def collect(self) -> Iterator[Metric]:
        """Give all families."""
        yield from families.families(self._picture)
        yield from latencies.families(self._picture.traffic)
        yield from routes.families(self._picture.routes)
        if self._picture.hourly is not None:
            yield from owed.prices(self._picture.hourly)
        if self._picture.budgets is not None:
            yield from owed.budgets(self._picture.budgets)
        if self._picture.firing is not None:
            yield from owed.alarms(self._picture.firing)
        if self._picture.minutes is not None:
            yield from minutes.families(self._picture.minutes)
