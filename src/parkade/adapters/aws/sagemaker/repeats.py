"""Whether a refusal answers a repetition: the first attempt may have done what was asked.

botocore repeats a call whose answer was lost. Of what was made by the lost attempt the repetition
hears that it is there already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from parkade.domain.errors import ParkadeError


def repeated(error: ParkadeError) -> bool:
    """Tell whether what was refused was a repetition."""
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return False
    return int(cause.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)) > 0
