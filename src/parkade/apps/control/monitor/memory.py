"""What one control process leaves to the next about what it knew, as text."""

from __future__ import annotations

import json
import logging
from datetime import datetime

from parkade.apps.control.monitor.knowledge import Remembered

logger = logging.getLogger(__name__)


def written(remembered: Remembered) -> str:
    """Write it down."""
    return json.dumps({
        "known_since": remembered.known_since.isoformat(),
        "gateways": sorted(remembered.gateways),
    })  # fmt: skip


def read(text: str | None) -> Remembered | None:
    """Return what was written; None where that is nothing, or cannot be read."""
    if text is None:
        return None
    try:
        values = json.loads(text)
        return Remembered(
            known_since=datetime.fromisoformat(values["known_since"]),
            gateways=frozenset(values["gateways"]),
        )
    except (ValueError, KeyError, TypeError):
        logger.exception("what the monitor knew cannot be read; it begins anew")
        return None
