"""Events as JSON by POST, signed as Standard Webhooks says (https://www.standardwebhooks.com).

    webhook-id         the same for every attempt
    webhook-timestamp  seconds of the epoch, of this attempt
    webhook-signature  "v1," base64(HMAC-SHA256(key, id "." timestamp "." body))

The key is what `whsec_` stands before, in base 64. Without a secret nothing is signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING

from parkade.adapters.webhook.posting import post
from parkade.domain.subscriber import signing_key

if TYPE_CHECKING:
    from parkade.ports.channels import Message


class WebhookChannel:
    """The channel port. `patience` is the receiver's time to answer, in seconds."""

    def __init__(self, url: str, secret: str, *, patience: float) -> None:
        self._url = url
        self._key = signing_key(secret) if secret else b""
        self._patience = patience

    def deliver(self, message: Message) -> None:
        """Post the message's content; anything from 200 to 299 takes it."""
        body = json.dumps(message.content, separators=(",", ":")).encode()
        timestamp = str(int(message.sent_at.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Parkade",
            "webhook-id": message.id,
            "webhook-timestamp": timestamp,
        }
        if self._key:
            headers["webhook-signature"] = signature(self._key, message.id, timestamp, body)
        post(self._url, body, headers, self._patience)


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """Return what `webhook-signature` holds."""
    told = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
