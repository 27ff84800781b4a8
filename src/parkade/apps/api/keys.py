"""The Idempotency-Key header: a retried request that carries it counts once."""

from typing import Annotated

from fastapi import Header

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="A text of your choice: the same request repeated with it counts once.",
    ),
]
