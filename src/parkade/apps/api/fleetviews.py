"""What runs of an endpoint: its fleet, or both while it is updated, with price and share of requests."""

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from parkade.apps.api.route import Both
from parkade.apps.api.schemas.fleets import FleetsView, Part
from parkade.domain.errors import ParkadeError
from parkade.domain.stages import Stage

if TYPE_CHECKING:
    from parkade.domain.endpoint import ObservedEndpoint

logger = logging.getLogger(__name__)


def look(services: Both, endpoint_name: str) -> FleetsView | None:
    """Tell what runs; None where that cannot be told, which hides nothing else."""
    try:
        fleets = services.money.fleets.of(endpoint_name)
        parts = _parts(services, endpoint_name)
    except ParkadeError as error:
        logger.warning("what runs of %s cannot be told: %s", endpoint_name, error.message)
        return None
    return FleetsView.of(fleets, parts, services.clock.now())


def _parts(services: Both, endpoint_name: str) -> dict[int, Part]:
    """Return what part each fleet has, by its generation."""
    seen = services.hosting.endpoints().get(endpoint_name)
    if seen is None:
        return {}
    if not seen.target_config_name:
        return {seen.generation: Part(share=1.0)}
    share = float(seen.rollout.share) if seen.rollout else 0.0
    rising = Part(share=share, expected_at=_expected(services, seen))
    return {seen.generation: Part(share=1.0 - share), seen.generation + 1: rising}


def _expected(services: Both, seen: "ObservedEndpoint") -> datetime | None:
    """Return when the fleet that rises will answer, by how long fleets of its config took."""
    if seen.rollout is not None and seen.rollout.stage is not Stage.RISING:
        return None
    span = services.upkeep.starts.expected(seen.target_config_name)
    at = None if span is None else seen.changed_at + span
    return None if at is None or at <= services.clock.now() else at
