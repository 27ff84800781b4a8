"""Compare-and-set that lost its race is decided again.

Each lost race is another writer's success, so that a hundred attempts outlast a crowd; the short
random waits only keep the crowd from moving in step.
"""

from __future__ import annotations

import tenacity

from parkade.domain.errors import VersionConflict

contended = tenacity.retry(
    retry=tenacity.retry_if_exception_type(VersionConflict),
    stop=tenacity.stop_after_attempt(100),
    wait=tenacity.wait_random(0, 0.01),
    reraise=True,
)
