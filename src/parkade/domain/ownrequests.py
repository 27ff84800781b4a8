"""Requests that Parkade itself makes to compare and to test, told from those of users.

Each has an inference id that says so. The gateway neither captures such a request nor copies it to a
shadow variant; where it was captured all the same, as by SageMaker, who reads captured calls leaves
it out.
"""

from __future__ import annotations

import hashlib

#: How the inference id of a captured request begins that is sent once more.
REPLAY = "parkade-replay-"
#: How that of a model's own case begins, or of a tester's.
TEST = "parkade-test-"
#: Characters that an inference id may have.
_LONGEST = 64


def inference_id(beginning: str, name: str) -> str:
    """Return the id of such a request: the beginning, and what it is about as far as that may be said."""
    told = f"{beginning}{name}"
    if len(told) <= _LONGEST and name and name.isascii() and name.isprintable():
        return told
    return f"{beginning}{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:32]}"


def is_own(inference_id: str) -> bool:
    """Tell whether a request with this inference id is one of Parkade's own."""
    return inference_id.startswith((REPLAY, TEST))
