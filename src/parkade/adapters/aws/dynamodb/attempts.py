"""Attempts at what others are in the way of, a few and each of them logged."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tenacity import (
    Retrying,
    before_sleep_log,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from parkade.domain.errors import VersionConflict

if TYPE_CHECKING:
    from parkade.domain.errors import ParkadeError

logger = logging.getLogger(__name__)

#: How many there are of one thing.
_ATTEMPTS = 8


def contended(lost: type[ParkadeError] = VersionConflict) -> Retrying:
    """Give attempts, for as long as one ends with this error: others came first.

    For a change that is read, decided on and written in the attempt, and for requests that DynamoDB
    refuses or answers in part because of others.
    """
    return Retrying(
        retry=retry_if_exception_type(lost),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.02, max=1),
        before_sleep=before_sleep_log(logger, logging.INFO),
        reraise=True,
    )
