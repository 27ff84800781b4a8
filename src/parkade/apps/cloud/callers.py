"""Who a command line speaks as on AWS: whom AWS says it is, and whose rights AWS checks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from parkade.adapters.aws import identity
from parkade.domain.names import NAME_LIMIT
from parkade.domain.token import Role, Token

if TYPE_CHECKING:
    from datetime import datetime

    from parkade.adapters.aws.account import Account

#: What the name of an owner cannot have, and what it cannot begin or end with.
_FOREIGN = re.compile(r"[^A-Za-z0-9._@+-]+")
_EDGES = "._@+-"


def caller(account: Account, now: datetime) -> Token:
    """Return the caller, named by the end of its ARN; what it may do, AWS says call by call.

    Of an assumed role that is its session, which is the person's name where people sign in.
    """
    said = _FOREIGN.sub("-", identity.arn(account).rpartition("/")[2])[:NAME_LIMIT].strip(_EDGES)
    return Token(
        # The account's root user has no name.
        name=said or "root",
        digest="",
        role=Role.ADMIN,
        endpoints=frozenset(),
        created_at=now,
    )
