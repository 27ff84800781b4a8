"""Events as a line of text for people, by POST to a Slack-compatible webhook."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from parkade.adapters.webhook.posting import post
from parkade.domain.wording import headline, link_text

if TYPE_CHECKING:
    from parkade.ports.channels import Message


class SlackChannel:
    """The channel port. `patience` is the receiver's time to answer, in seconds."""

    def __init__(self, url: str, *, patience: float) -> None:
        self._url = url
        self._patience = patience

    def deliver(self, message: Message) -> None:
        """Post `{"text": ...}`; the link of a notice is one in the text."""
        event = message.event
        text = _escaped(headline(event))
        if event.reason and event.reason not in headline(event):
            text += f"\n{_escaped(event.reason)}"
        if isinstance(link := event.data.get("link"), str):
            text += f"\n<{link}|{_escaped(link_text(event))}>"
        body = json.dumps({"text": text}).encode()
        post(self._url, body, {"Content-Type": "application/json"}, self._patience)


def _escaped(text: str) -> str:
    """Keep a text from being read as Slack's own marks: only these three have a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
