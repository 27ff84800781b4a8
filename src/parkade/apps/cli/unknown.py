"""What to do about a name that the server does not know: the one that was probably meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from parkade.apps.cli.client import Refused, Unreachable
from parkade.domain.names import suggestion

if TYPE_CHECKING:
    from parkade.apps.cli.client import Client

#: Where the API's code says that something is not there: its list, its name there, our command.
_LISTS = {
    "endpoint_not_found": ("endpoints", "name", "parkade ls"),
    "lease_not_found": ("endpoints", "name", "parkade ls"),
    "model_not_found": ("models", "name", "parkade model ls"),
    "config_not_found": ("configs", "name", "parkade config ls"),
    "route_not_found": ("routes", "path", "parkade route ls"),
    "project_not_found": ("projects", "prefix", "parkade projects ls"),
}
#: Names have no quotes in them; the second form is SageMaker's, for invocations.
_NAMED = re.compile(r"'([^']+)'|Endpoint (\S+) of account \d+ not found")


def advised(client: Client, refusal: Refused) -> Refused:
    """Return the refusal with the name that was probably meant as its hint."""
    named = _NAMED.search(refusal.message)
    if refusal.code not in _LISTS or named is None:
        return refusal
    noun, key, command = _LISTS[refusal.code]
    try:
        known = [each[key] for each in client.pages(noun)]
    except (Refused, Unreachable):
        # Who may not see the list gets the server's own words.
        return refusal
    wrong = named[1] or named[2]
    meant = "" if wrong in known else suggestion(wrong, known)
    own = "" if refusal.hint.startswith("GET ") else refusal.hint
    return Refused(
        refusal.message,
        status=refusal.status,
        code=refusal.code,
        hint=f"{meant} see: {command}" if meant else own or f"see: {command}",
    )
