"""What the functions that invoke endpoints are built on: a light part of the meter.

Whether a budget pays for what a request wakes is the sweep's to find out, which tells the owner.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from parkade.adapters.aws.dynamodb.events import DynamoHistory
from parkade.adapters.aws.dynamodb.leases import DynamoLeaseBook
from parkade.adapters.aws.nudging import Nudge
from parkade.adapters.aws.sagemaker.onesight import observed
from parkade.adapters.aws.sagemaker.passage import Passage
from parkade.apps.lambdas import means
from parkade.services.starts import Starts
from parkade.services.waking import Waking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parkade.apps.settings import FunctionSettings
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.event import Event
    from parkade.domain.standing import Expected
    from parkade.ports.events import EventQuery, History
    from parkade.ports.terms import TermsStore


class Callers:
    """What is known, and done, for whoever calls an endpoint."""

    def __init__(self, settings: FunctionSettings) -> None:
        self._settings = settings
        self._account = means.account(settings)
        self.clock = means.clock()
        self._history = DynamoHistory(means.main_table(settings, self._account), self.clock)
        self.book = DynamoLeaseBook(self._history)
        self.terms = cast("TermsStore", _OnDemand(self._terms))
        sweep = settings.sweep
        self.waking = Waking(
            book=self.book,
            terms=self.terms,
            clock=self.clock,
            changed=Nudge(self._account, sweep) if sweep else _nothing,
        )

    def _terms(self) -> TermsStore:
        # Its records are read by pydantic, which most requests need not wait for.
        from parkade.adapters.aws.dynamodb.terms import DynamoTermsStore  # noqa: PLC0415

        return DynamoTermsStore(self._history)

    def passage(self, seconds: float) -> Passage:
        """Return what carries invocations, each of which may take so many seconds."""
        return Passage(self._account, seconds=seconds)

    def look(self, name: str) -> ObservedEndpoint | None:
        """Return how one endpoint is now."""
        return observed(self._account, name, self.clock.now())

    def expected(self, endpoint_name: str) -> Expected:
        """Return what knows how long starts of an endpoint take, by those that it had."""
        return Starts(_OfEndpoint(self._history, endpoint_name)).expected

    def keep(self, name: str, content: bytes, content_type: str) -> str:
        """Keep an answer in the bucket; return its address."""
        from parkade.adapters.aws.s3.objects import S3Objects  # noqa: PLC0415  few are so long

        bucket = self._settings.bucket
        headers = {"Content-Type": content_type} if content_type else {}
        with S3Objects(self._account).writer(bucket, name, headers) as writer:
            writer.write(content)
            writer.commit()
        return f"s3://{bucket}/{name}"


class _OnDemand:
    """Something that is made when anything of it is first asked for."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> object:
        self.__dict__["_made"] = made = self.__dict__.get("_made") or self._make()
        return getattr(made, name)


class _OfEndpoint:
    """The history of one endpoint, which an index gives without the others'."""

    def __init__(self, history: History, name: str) -> None:
        self._history = history
        self._name = name

    def append(self, event: Event) -> Event:
        """Store the event."""
        return self._history.append(event)

    def read(self, query: EventQuery) -> Sequence[Event]:
        """Return the oldest matches of the endpoint."""
        return self._history.read(replace(query, endpoint_name=self._name))

    def latest(self, query: EventQuery) -> Sequence[Event]:
        """Return the newest matches of the endpoint."""
        return self._history.latest(replace(query, endpoint_name=self._name))

    def watch(self, listener: Callable[[], None]) -> None:
        """Have the listener called when anything is stored."""
        self._history.watch(listener)


def _nothing() -> None:
    """Tell nobody: the next minute's sweep comes by itself."""
