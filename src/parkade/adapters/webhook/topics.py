"""Topics by HTTP POST, for those that have a URL; all others are left to another delivery."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from parkade.domain.errors import Unavailable
from parkade.domain.topic import envelope, topic_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.ports.clock import Clock
    from parkade.ports.topics import Topics

_ATTEMPTS = 3


class WebhookTopics:
    """The topics port. `patience` is a receiver's time for each step of an answer, in seconds."""

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
        headers = {"x-amz-sns-message-type": "Notification"}
        try:
            answer = httpx.post(url, json=content, headers=headers, timeout=self._patience)
        except httpx.TransportError as error:
            why = f"its receiver cannot be reached ({type(error).__name__}: {error})"
            raise _Passing(_refused(content, why)) from error
        except httpx.InvalidURL as error:
            raise Unavailable(_refused(content, str(error))) from error
        if answer.is_success:
            return
        why = _refused(content, f"its receiver answered {answer.status_code}")
        busy = answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error
        raise _Passing(why) if busy else Unavailable(why)


class _Passing(Exception):
    """The receiver may take it next time."""


def _refused(content: Mapping[str, str], why: str) -> str:
    """Say what was not delivered; the URL may hold a secret of its own and is not named."""
    return f"a message for topic {content['TopicArn']!r} was not delivered: {why}"
