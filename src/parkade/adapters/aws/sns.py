"""Topics and notices on SNS, which keeps what it has taken and delivers it from then on.

A notice is a text for those who read mail, and JSON for those who do not; its kind, endpoint,
owner and project are attributes, so that a subscription can filter by them.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.refusals import calling
from parkade.domain.errors import InvalidInput, ParkadeError, Unavailable
from parkade.domain.event import written

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.adapters.aws.account import Account
    from parkade.domain.event import Json
    from parkade.ports.notices import Notice

_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?", re.ASCII)
_FIFO = ".fifo"
#: SNS's own limit of a subject; it takes printable ASCII alone.
_SUBJECT = 100
#: Characters of a text. SNS takes 256 KiB of all forms of a message together.
_TEXT = 16_000
#: The protocols of programs: they get JSON in place of the text.
_PROGRAMS = ("sqs", "lambda", "http", "https", "firehose")
_NO_TOPIC = frozenset(
    {"NotFound", "NotFoundException", "InvalidParameter", "InvalidParameterValue"}
)


class SnsTopics:
    """The topics port."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def publish(self, topic_arn: str, message: str) -> None:
        """Publish the message. SNS must be of the account's region."""
        try:
            publish(self._account, topic_arn, {"Message": message, **_order(topic_arn, "parkade")})
        except (InvalidInput, Unavailable):
            raise
        except ParkadeError as error:
            raise Unavailable(error.message, hint=error.hint) from error


class SnsNotices:
    """The notices port, on one topic. `link` gives a link that extends an endpoint, if there is."""

    def __init__(
        self, account: Account, topic_arn: str, link: Callable[[Notice], str] = lambda n: n.link
    ) -> None:
        self._account = account
        self._topic_arn = topic_arn
        self._link = link

    def tell(self, notice: Notice) -> None:
        """Publish the notice. Raises what `calling` raises where SNS does not take it."""
        link = self._link(notice)
        text = _for_people(notice, link)
        program = json.dumps(_for_programs(notice, link), ensure_ascii=False)
        forms = {"default": text, **dict.fromkeys(_PROGRAMS, program)}
        publish(
            self._account,
            self._topic_arn,
            {
                "Subject": _subject(notice),
                "Message": json.dumps(forms, ensure_ascii=False),
                "MessageStructure": "json",
                "MessageAttributes": _attributes(notice),
                **_order(self._topic_arn, notice.endpoint_name or "parkade"),
            },
        )


def publish(account: Account, topic_arn: str, message: dict[str, Any]) -> None:
    """Publish to a topic. Raises InvalidInput for what is no topic, and what `calling` raises."""
    if not _TOPIC.fullmatch(topic_arn):
        raise InvalidInput(
            f"{topic_arn[:256]!r} is not the ARN of a topic",
            field="topic",
            hint="write one such as arn:aws:sns:eu-central-1:123456789012:results",
        )

    def meaning(code: str, text: str) -> ParkadeError | None:
        if code not in _NO_TOPIC:
            return None
        return InvalidInput(
            f"topic {topic_arn!r} takes no message: {text}",
            field="topic",
            hint=f"name a topic that there is, in {account.region}",
        )

    with calling(f"topic {topic_arn!r} cannot be told", meaning):
        account.client("sns").publish(TopicArn=topic_arn, **message)


def _order(topic_arn: str, group: str) -> dict[str, str]:
    """Return what a topic that keeps the order needs beside."""
    if not topic_arn.endswith(_FIFO):
        return {}
    return {"MessageGroupId": group, "MessageDeduplicationId": uuid.uuid4().hex}


def _subject(notice: Notice) -> str:
    about = notice.endpoint_name or notice.project
    words = f"Parkade: {notice.kind} of {about}" if about else f"Parkade: {notice.kind}"
    return _ascii(words)[:_SUBJECT]


def _ascii(text: str) -> str:
    return "".join(each if each.isascii() and each.isprintable() else "?" for each in text)


def _for_people(notice: Notice, link: str) -> str:
    text = notice.text if len(notice.text) <= _TEXT else f"{notice.text[:_TEXT]} ..."
    lines = [text]
    if notice.expires_at is not None:
        lines.append(f"It runs until {written(notice.expires_at)}.")
    if link:
        lines.append(f"More time: {link}")
    return "\n\n".join(lines)


def _for_programs(notice: Notice, link: str) -> dict[str, Json]:
    return {
        "at": written(notice.at),
        "kind": notice.kind,
        "endpoint_name": notice.endpoint_name,
        "owner": notice.owner,
        "project": notice.project,
        "text": notice.text[:_TEXT],
        "expires_at": written(notice.expires_at) if notice.expires_at else None,
        "link": link,
    }


def _attributes(notice: Notice) -> dict[str, dict[str, str]]:
    """Return the attributes; SNS takes no empty ones."""
    told = {
        "kind": str(notice.kind),
        "endpoint": notice.endpoint_name,
        "owner": notice.owner,
        "project": notice.project,
    }
    return {
        name: {"DataType": "String", "StringValue": value} for name, value in told.items() if value
    }
