"""State machines: executions that are begun once, and the timers of leases.

An execution has a name, and one of a name is begun once: Step Functions answers the same for as long
as it runs, and refuses the name for 90 days after that. So whoever begins something twice has begun
it once.
"""

from __future__ import annotations

import json
import re
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.refusals import calling
from parkade.domain.errors import AlreadyExists, InvalidInput, NotFound, ParkadeError
from parkade.domain.event import written
from parkade.domain.standing import told_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parkade.adapters.aws.account import Account
    from parkade.domain.lease import Lease

#: Characters of an execution's name, and what else than these may not be in it.
_LONGEST = 80
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Leases whose timers are remembered; beyond them they are begun again, which does nothing.
_REMEMBERED = 50_000


class Machine:
    """One state machine, by its ARN."""

    def __init__(self, account: Account, arn: str) -> None:
        self._account = account
        self.arn = arn

    def exists(self) -> bool:
        """Tell whether there is such a machine. Raises what `calling` raises."""

        def meaning(code: str, text: str) -> ParkadeError | None:
            return NotFound(text) if code == "StateMachineDoesNotExist" else None

        try:
            with calling(f"state machine {self.arn} cannot be described", meaning):
                self._account.client("stepfunctions").describe_state_machine(
                    stateMachineArn=self.arn
                )
        except NotFound:
            return False
        return True

    def begin(self, name: str, given: Mapping[str, Any]) -> str:
        """Begin an execution of this name; return its ARN.

        One that was begun with the same input, and runs, is left to it. Raises AlreadyExists where
        the name was used for another, or for one that is over.
        """

        def meaning(code: str, text: str) -> ParkadeError | None:
            if code == "ExecutionAlreadyExists":
                return AlreadyExists(f"execution {name!r} was begun before: {text}")
            if code in {"StateMachineDoesNotExist", "StateMachineDeleting", "InvalidArn"}:
                return InvalidInput(
                    f"there is no state machine {self.arn!r}: {text}",
                    field="stateMachineArn",
                    hint="deploy its stack again: parkade cloud deploy",
                )
            return None

        with calling(f"execution {name!r} cannot be begun", meaning):
            begun = self._account.client("stepfunctions").start_execution(
                stateMachineArn=self.arn, name=name, input=json.dumps(given)
            )
        return str(begun["executionArn"])


class Timers:
    """Has an execution wait for the end of each lease that runs. Safe to use from several threads."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._lock = threading.Lock()
        #: Until when the last timer waits that this process knows of, by endpoint.
        self._known: dict[str, datetime] = {}

    def missing(self, leases: Iterable[Lease], now: datetime) -> list[Lease]:
        """Return those that run, and of whose timers nothing is known here; the soonest first."""
        running = [
            lease
            for lease in leases
            if not lease.over(now)
            and lease.paused_at is None
            and self._known.get(lease.endpoint_name) != lease.expires_at
        ]
        return sorted(running, key=lambda lease: lease.expires_at)

    def wait_for(self, lease: Lease) -> None:
        """Have the end of the lease waited for; can be repeated. Raises what `begin` raises."""
        name, until = lease.endpoint_name, lease.expires_at
        given = {"endpoint_name": name, "expires_at": written(told_at(until)), "turn": 0}
        # Where it has waited already, the minute's sweep has what is left to do.
        with suppress(AlreadyExists):
            self._machine.begin(timer_name(name, until), given)
        with self._lock:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[name] = until


def timer_name(endpoint_name: str, expires_at: datetime) -> str:
    """Return the name of the execution that waits for this expiry of this endpoint's lease."""
    return execution_name(endpoint_name, str((expires_at - _EPOCH) // timedelta(milliseconds=1)))


def execution_name(*parts: str) -> str:
    """Return a name for an execution, of what tells it from others."""
    return _FOREIGN.sub("-", "-".join(parts))[:_LONGEST]
