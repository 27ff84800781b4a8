"""One call of an operation: who asks, what for, and what may be used to answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from parkade.apps.sagemaker.arns import ACCOUNT, Arns
from parkade.apps.wire.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from parkade.apps.assembly import Services
    from parkade.domain.token import Role, Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The caller and the input, which is as the operation's shape describes it."""

    services: Services
    caller: Token
    operation: str
    arns: Arns
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def actor(self) -> str:
        """Who is written down as the cause."""
        return self.caller.name

    @property
    def now(self) -> datetime:
        """The time that records are stamped with."""
        return self.services.clock.now()

    def asking(self, given: Mapping[str, Any]) -> Call:
        """Return the call with its input."""
        return replace(self, given=given)

    def require(self, role: Role) -> None:
        """Raise AccessDeniedException unless the caller's role is enough."""
        if not self.caller.role.includes(role):
            raise self._denied(
                "*", f"token {self.actor!r} has the role {self.caller.role}; this needs {role}"
            )

    def require_endpoint(self, name: str) -> None:
        """Raise AccessDeniedException where the caller's token is limited to other endpoints."""
        if not self.sees(name):
            raise self._denied(
                self.arns.of("endpoint", name),
                f"token {self.actor!r} is limited to " + ", ".join(sorted(self.caller.endpoints)),
            )

    def sees(self, endpoint_name: str) -> bool:
        """Tell whether an endpoint is among those that the caller's token is limited to, if any."""
        return not self.caller.endpoints or endpoint_name in self.caller.endpoints

    def _denied(self, resource: str, why: str) -> Fault:
        user = f"arn:aws:iam::{ACCOUNT}:user/{self.actor}"
        return Fault(
            "AccessDeniedException",
            f"User: {user} is not authorized to perform: sagemaker:{self.operation} on resource: "
            f"{resource} because {why}",
        )
