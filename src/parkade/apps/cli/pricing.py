"""The price, told before time is bought."""

from typing import Annotated

import typer

from parkade.apps.cli import options, render
from parkade.apps.cli.client import Client, Refused

Confirm = Annotated[
    bool, options.flag("--confirm", help="Show the price and ask before anything is bought.")
]


def tell(
    client: Client,
    endpoint: str,
    *,
    minutes: float | None,
    config: str | None = None,
    owner: str | None = None,
    confirm: bool,
) -> None:
    """Print what time costs, beside the result; where asked to, go on only if that is fine.

    What keeps the price from being told keeps nobody from buying: the server refuses what it will
    not sell, in its own words.
    """
    try:
        quote = client.get("price", endpoint=endpoint, minutes=minutes, config=config, owner=owner)
    except Refused as refusal:
        if confirm:
            raise
        render.note(f"the price cannot be told: {refusal.message}")
        return
    if confirm:
        typer.confirm(f"{quote['text']}. Go on?", abort=True, err=True)
    else:
        render.note(quote["text"])
