"""`tester`: one of the functions that a message to the tester's topic starts, all at the same time.

Each has a share of the clients, asks the cases through the route or by the endpoint's name, and tells
CloudWatch what it measured. A tester is no user: what does not serve is not tested by a schedule, and
a message that was written by hand asks whatever the endpoint does.

    given     an event of SNS; its message may be {"by": "schedule"}
    answered  {"passed", "summary", "report"}, or {"skipped": why}
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.apps.lambdas.start import Function
from parkade.domain import cases, names, ownrequests
from parkade.domain.tester import measures, order
from parkade.domain.tester.report import report
from parkade.services.testing.measuring import samples
from parkade.services.testing.running import Running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings
    from parkade.domain.tester.order import Order
    from parkade.ports.callers import Caller
    from parkade.ports.clock import Clock
    from parkade.ports.metrics import MetricStore
    from parkade.ports.objects import Objects
    from parkade.ports.ticks import Ticks

logger = logging.getLogger(__name__)

#: Who asks, in the message of a schedule.
BY_SCHEDULE = "schedule"
_VARIANT = "X-Amzn-SageMaker-Target-Variant"
_INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"
#: Bytes of a file of cases.
_CASES_LIMIT = 16 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a tester works with."""

    order: Order
    #: Why the endpoint does not serve; empty: it does.
    absent: Callable[[], str]
    #: A new caller with these headers.
    caller: Callable[[Mapping[str, str]], Caller]
    objects: Objects
    metrics: MetricStore
    clock: Clock
    ticks: Ticks
    #: What the tester's requests are called by.
    name: str


class Tester:
    """Answers one message."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def __call__(self, event: Mapping[str, Any], _: Call) -> dict[str, Any]:
        """Run the share; tell what came of it. Raises what keeps it from being run at all."""
        by_hand = not any(_by_schedule(each) for each in event.get("Records", ()))
        absent = self._means.absent()
        if absent and not by_hand:
            logger.info("skipped: %s", absent)
            return {"skipped": absent}
        return asyncio.run(self._run())

    async def _run(self) -> dict[str, Any]:
        means, wanted = self._means, self._means.order
        found = cases.read(wanted.cases or self._fetched(wanted.cases_url))
        headers = {_INFERENCE_ID: ownrequests.inference_id(ownrequests.TEST, means.name)}
        if wanted.variant:
            headers[_VARIANT] = wanted.variant
        running = Running(found, wanted.course, lambda: means.caller(headers), means.ticks)
        await running.run()
        measured = measures.measured(running.shots, running.seconds)
        means.metrics.add(samples(measured, wanted.labels, means.clock.now()))
        result = report(running.shots, [each.id for each in found], running.seconds)
        told = {
            "passed": result.passed,
            "summary": result.words(),
            "report": dict(result.written()),
        }
        logger.log(
            logging.INFO if result.passed else logging.WARNING,
            "%s",
            result.words(),
            extra={"report": told["report"]},
        )
        return told

    def _fetched(self, address: str) -> str:
        bucket, key = names.s3_address(address, field="cases")
        with self._means.objects.open(bucket, key) as file:
            return file.read(_CASES_LIMIT).decode()


def _by_schedule(record: Mapping[str, Any]) -> bool:
    text = record.get("Sns", {}).get("Message", "")
    try:
        message = json.loads(text)
    except ValueError:
        return False  # what somebody typed
    return isinstance(message, dict) and message.get("by") == BY_SCHEDULE


def _build(settings: FunctionSettings) -> Tester:
    # At the first call, as all of it: what is wrong with it is that call's error.
    from parkade.adapters.aws.account import Account  # noqa: PLC0415
    from parkade.adapters.aws.cloudwatch.metrics import CloudWatchMetrics  # noqa: PLC0415
    from parkade.adapters.aws.s3.objects import S3Objects  # noqa: PLC0415
    from parkade.adapters.aws.sagemaker.caller import EndpointCaller, absent  # noqa: PLC0415
    from parkade.adapters.aws.sagemaker.passage import Passage  # noqa: PLC0415
    from parkade.adapters.aws.secrets import text  # noqa: PLC0415
    from parkade.adapters.http.caller import Address, HttpCaller  # noqa: PLC0415
    from parkade.adapters.system.clock import SystemClock  # noqa: PLC0415
    from parkade.adapters.system.ticks import SystemTicks  # noqa: PLC0415

    account, clock = Account(region=settings.region), SystemClock()
    wanted = order.read(dict(settings.tester))
    endpoint, seconds = settings.tested_endpoint, wanted.course.timeout
    token = text(account, settings.token_secret) if settings.token_secret else ""

    def caller(headers: Mapping[str, str]) -> Caller:
        if not wanted.route:
            return EndpointCaller(Passage(account, seconds=seconds), endpoint, headers)
        signed = {**headers, "Authorization": token} if token else headers
        address = Address.of(settings.url, wanted.route, signed)
        return HttpCaller(address, timeout=seconds)

    return Tester(
        Means(
            order=wanted,
            absent=lambda: absent(account, endpoint),
            caller=caller,
            objects=S3Objects(account),
            metrics=CloudWatchMetrics(account, clock),
            clock=clock,
            ticks=SystemTicks(),
            name=settings.project,
        )
    )


handler = Function(_build)
