"""Tells topics of alarms that changed, in a thread of its own: no look at an alarm waits for it.

The change is stored before anybody is told. A crash in between loses the message, never the
record, and nobody is told of one change twice. What was told, and what could not be, is written to
the history.
"""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING

from parkade.domain.alarmshapes import message
from parkade.domain.errors import ParkadeError
from parkade.domain.event import Event
from parkade.domain.scaling.arns import policy_key
from parkade.services.alarms import MONITOR, endpoint_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.domain.alarm import Alarm, Standing
    from parkade.ports.clock import Clock
    from parkade.ports.events import History
    from parkade.ports.topics import Topics

logger = logging.getLogger(__name__)

#: How many messages wait at most; more are not sent, and that is written down.
WAITING = 1000
#: Seconds that messages under way get when the process ends.
PATIENCE = 5.0


class AlarmActions:
    """Publishes what alarms say; `region` and `account` are what the server says it is."""

    def __init__(
        self,
        topics: Topics,
        history: History,
        clock: Clock,
        *,
        region: Callable[[], str],
        account: str,
    ) -> None:
        self._topics = topics
        self._history = history
        self._clock = clock
        self._region = region
        self._account = account
        self._waiting: queue.Queue[tuple[Alarm, str, str] | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def tell(self, alarm: Alarm, before: Standing) -> None:
        """Have the topics of the alarm's state told; returns at once.

        A scaling policy is no topic: the autoscaler looks at the alarms that name one.
        """
        topics = [action for action in alarm.actions if not policy_key(action)]
        if not alarm.actions_enabled or not topics:
            return
        text = message(
            alarm, before, arn=self.arn(alarm.name), account=self._account, region=self._region()
        )
        self._start()
        for topic in topics:
            try:
                self._waiting.put_nowait((alarm, topic, text))
            except queue.Full:
                self._record(alarm, topic, f"{WAITING} other messages are waiting")

    def arn(self, name: str) -> str:
        """Return the ARN of an alarm."""
        return f"arn:aws:cloudwatch:{self._region()}:{self._account}:alarm:{name}"

    def close(self) -> None:
        """Send what waits, for a while; the last thing a process does."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None:
            return
        try:
            self._waiting.put(None, timeout=PATIENCE)
        except queue.Full:
            logger.warning("%d messages of alarms were not sent", self._waiting.qsize())
            return
        thread.join(PATIENCE)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            alarm, topic, text = item
            try:
                self._send(alarm, topic, text)
            except Exception:
                # The next message is sent, whatever became of this one.
                logger.exception("telling %s of alarm %s went wrong", topic, alarm.name)

    def _send(self, alarm: Alarm, topic: str, text: str) -> None:
        failure = ""
        try:
            self._topics.publish(topic, text)
        except ParkadeError as error:
            failure = error.message
        self._record(alarm, topic, failure)

    def _record(self, alarm: Alarm, topic: str, failure: str) -> None:
        state = alarm.standing.state
        told = f"{topic} was told that alarm {alarm.name} is {state}"
        untold = f"{topic} could not be told that alarm {alarm.name} is {state}: {failure}"
        self._history.append(
            Event(
                at=self._clock.now(),
                kind="alarm.untold" if failure else "alarm.told",
                actor=MONITOR,
                reason=untold if failure else told,
                endpoint_name=endpoint_of(alarm),
                data={"name": alarm.name, "topic": topic, "state": state},
            )
        )
