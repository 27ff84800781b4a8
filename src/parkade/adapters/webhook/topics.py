"""Topics by HTTP POST, for those that have a URL; all others are left to another delivery.

One receiver must not hold up what others are to be told, so that each exchange has its limit.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from parkade.adapters.webhook.posting import post
from parkade.domain.errors import Unavailable, Undelivered
from parkade.domain.topic import envelope, topic_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.ports.clock import Clock
    from parkade.ports.topics import Topics

_ATTEMPTS = 3


class WebhookTopics:
    """The topics port. `patience` is a receiver's time to answer, in seconds."""

    def __init__(
        self,
        urls: Callable[[], Mapping[str, str]],
        others: Topics,
        clock: Clock,
        *,
        patience: float = 5.0,
        pause: float = 1.0,
    ) -> None:
        self._urls = urls
        self._others = others
        self._clock = clock
        self._patience = patience
        self._pause = pause

    def publish(self, topic_arn: str, message: str) -> None:
        """Post the message to the topic's URL, three times at most."""
        url = self._urls().get(topic_name(topic_arn))
        if url is None:
            self._others.publish(topic_arn, message)
            return
        content = envelope(str(uuid.uuid4()), topic_arn, message, self._clock.now())
        retrying = Retrying(
            retry=retry_if_exception_type(_Passing),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(multiplier=self._pause),
            reraise=True,
        )
        try:
            retrying(self._post, url, content)
        except _Passing as failure:
            raise Unavailable(str(failure)) from failure

    def _post(self, url: str, content: dict[str, str]) -> None:
        headers = {"Content-Type": "application/json", "x-amz-sns-message-type": "Notification"}
        try:
            post(url, json.dumps(content).encode(), headers, self._patience)
        except Undelivered as error:
            # The URL may hold a secret of its own and is not named.
            why = f"a message for topic {content['TopicArn']!r} was not delivered: {error.message}"
            raise (Unavailable(why) if error.final else _Passing(why)) from error


class _Passing(Exception):
    """The receiver may take it next time."""
