"""The AsyncInferenceConfig of a payload, as SageMaker has it: read, and written again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.catalog import Asynchronous
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from parkade.domain.deploy.reading import Section
    from parkade.domain.event import Json

KEY = "AsyncInferenceConfig"
_CLIENT, _OUTPUT, _NOTIFICATION = "ClientConfig", "OutputConfig", "NotificationConfig"
_CONCURRENCY = "MaxConcurrentInvocationsPerInstance"
_OUTPUT_KEYS = frozenset({"KmsKeyId", "S3OutputPath", "S3FailurePath", _NOTIFICATION})
_NOTIFICATION_KEYS = frozenset({"SuccessTopic", "ErrorTopic", "IncludeInferenceResponseIn"})
#: Which notifications can bring the answer along.
_TOPICS = ("SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC")


def read(top: Section) -> Asynchronous:
    """Return how asynchronous calls are answered. Raises InvalidInput."""
    given = top.section(KEY, {_CLIENT, _OUTPUT})
    output = given.section(_OUTPUT, _OUTPUT_KEYS)
    concurrency = None
    if given.has(_CLIENT):
        concurrency = given.section(_CLIENT, {_CONCURRENCY}).maybe_whole(_CONCURRENCY)
    success_topic = error_topic = ""
    included: tuple[str, ...] = ()
    if output.has(_NOTIFICATION):
        told = output.section(_NOTIFICATION, _NOTIFICATION_KEYS)
        success_topic, error_topic = told.text("SuccessTopic", ""), told.text("ErrorTopic", "")
        included = _included(told)
    return Asynchronous(
        output=output.text("S3OutputPath"),
        failure=output.text("S3FailurePath", ""),
        success_topic=success_topic,
        error_topic=error_topic,
        include_response_in=included,
        concurrency=concurrency,
        extras={"KmsKeyId": output.text("KmsKeyId")} if output.has("KmsKeyId") else {},
    )


def _included(given: Section) -> tuple[str, ...]:
    key = "IncludeInferenceResponseIn"
    topics = given.texts(key)
    for each in topics:
        if each not in _TOPICS:
            raise InvalidInput(
                f"{given.at(key)} {each[:80]!r} is none of its topics",
                field=given.at(key),
                hint="give " + " or ".join(_TOPICS),
            )
    return topics


def written(asynchronous: Asynchronous) -> dict[str, Json]:
    """Write it as a payload has it."""
    notification: dict[str, Json] = {}
    if asynchronous.success_topic:
        notification["SuccessTopic"] = asynchronous.success_topic
    if asynchronous.error_topic:
        notification["ErrorTopic"] = asynchronous.error_topic
    if asynchronous.include_response_in:
        notification["IncludeInferenceResponseIn"] = list(asynchronous.include_response_in)
    output: dict[str, Json] = {**asynchronous.extras, "S3OutputPath": asynchronous.output}
    if asynchronous.failure:
        output["S3FailurePath"] = asynchronous.failure
    if notification:
        output[_NOTIFICATION] = notification
    told: dict[str, Json] = {_OUTPUT: output}
    if asynchronous.concurrency is not None:
        told[_CLIENT] = {_CONCURRENCY: asynchronous.concurrency}
    return told
