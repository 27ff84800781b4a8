"""Whether there are credentials at all, asked of this machine alone."""

from __future__ import annotations

import botocore.session
from botocore.exceptions import BotoCoreError


def known(profile: str | None = None) -> bool:
    """Tell whether botocore finds credentials, of a profile where one is named.

    Whether AWS accepts them is another question.
    """
    try:
        return botocore.session.Session(profile=profile).get_credentials() is not None
    except BotoCoreError:  # no such profile, or one that cannot be read
        return False
