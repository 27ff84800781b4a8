"""Letters, what could not be delivered: `/v1/letters`."""

import asyncio
from typing import Annotated

from fastapi import Path, Query

from parkade.apps.api.auth import Admin
from parkade.apps.api.paging import Limit
from parkade.apps.api.route import Served, router
from parkade.apps.api.schemas.subscribers import LetterList, LetterView

routes = router("Subscribers", "/v1/letters")

Id = Annotated[int, Path(ge=1, le=2**63 - 1, description="The letter's id.")]


@routes.get("")
async def list_letters(
    services: Served,
    _caller: Admin,
    subscriber: Annotated[str | None, Query(description="Only letters to this one.")] = None,
    limit: Limit = 100,
    after: Annotated[
        int, Query(ge=0, le=2**63 - 1, description="Only letters with a higher id.")
    ] = 0,
) -> LetterList:
    """List letters, the oldest first: events that were given up, each with the last reason."""
    letters = services.outbox.outbox.letters(subscriber=subscriber, after=after, limit=limit)
    following = str(letters[-1].id) if len(letters) == limit else None
    return LetterList(letters=[LetterView.of(each) for each in letters], next=following)


@routes.get("/{letter_id}")
async def get_letter(services: Served, _caller: Admin, letter_id: Id) -> LetterView:
    """Describe a letter: which event, how often it was tried, what was said last."""
    return LetterView.of(services.outbox.outbox.letter(letter_id))


@routes.post("/{letter_id}/resend")
async def resend_letter(services: Served, caller: Admin, letter_id: Id) -> LetterView:
    """Deliver a letter now, out of its order, and drop it when it was taken.

    502 where it was not taken, with the reason; the letter stays.
    """
    letter = await asyncio.to_thread(services.outbox.outbox.resend, letter_id, caller.name)
    services.changed()
    return LetterView.of(letter)


@routes.delete("/{letter_id}", status_code=204)
async def drop_letter(services: Served, caller: Admin, letter_id: Id) -> None:
    """Remove a letter undelivered."""
    services.outbox.outbox.drop(letter_id, caller.name)
    services.changed()
