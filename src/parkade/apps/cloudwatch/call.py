"""One call of an operation: who asks, what for, and what may be used to answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.apps.wire import sight
from parkade.apps.wire.faults import Fault
from parkade.domain.alarmshapes import series_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from parkade.apps.parts.alarms import Alarming
    from parkade.domain.alarm import Alarm
    from parkade.domain.scaling.target import Resource
    from parkade.domain.series import Series
    from parkade.domain.token import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The caller and the input, which is as the operation's shape describes it."""

    alarming: Alarming
    caller: Token
    operation: str
    region: str
    #: The instant that it is answered as of, on the clock of leases.
    now: datetime
    given: Mapping[str, Any] = field(default_factory=dict)
    #: The endpoint of each inference component, where the caller is limited to some.
    components: Mapping[str, str] = field(default_factory=dict)

    @property
    def actor(self) -> str:
        """Who is written down as the cause."""
        return self.caller.name

    def sees(self, series: Series) -> bool:
        """Tell whether a series is the caller's to see; what is of no endpoint is everybody's."""
        return sight.sees(self.caller, series, self.components)

    def sees_alarm(self, alarm: Alarm) -> bool:
        """Tell whether an alarm is the caller's to see: where all of its series are."""
        return all(map(self.sees, series_of(alarm)))

    def require(self, series: Iterable[Series]) -> None:
        """Raise AccessDenied for series of endpoints that the caller's token is not limited to."""
        for each in series:
            if not self.sees(each):
                raise self._denied(
                    f"{each} is of another endpoint than those that token {self.actor!r} is limited "
                    f"to: {', '.join(sorted(self.caller.endpoints))}"
                )

    def require_resource(self, resource: Resource) -> None:
        """Raise AccessDenied for what is scaled of an endpoint that the token is not limited to."""
        name = resource.name
        if resource.component:
            name = self.components.get(name, "")
        if self.caller.endpoints and name not in self.caller.endpoints:
            raise self._denied(
                f"{resource} is of another endpoint than those that token {self.actor!r} is "
                f"limited to: {', '.join(sorted(self.caller.endpoints))}"
            )

    def alarm(self, name: str) -> Alarm:
        """Return an alarm that the caller may see. Raises ResourceNotFound, AccessDenied."""
        alarm = self.alarming.book.get(name)
        self.require(series_of(alarm))
        return alarm

    def arn(self, alarm_name: str) -> str:
        """Return the ARN of an alarm."""
        return f"arn:aws:cloudwatch:{self.region}:{ACCOUNT}:alarm:{alarm_name}"

    def _denied(self, why: str) -> Fault:
        user = f"arn:aws:iam::{ACCOUNT}:user/{self.actor}"
        return Fault(
            "AccessDeniedException",
            f"User: {user} is not authorized to perform: cloudwatch:{self.operation} because {why}",
            status=403,
        )
