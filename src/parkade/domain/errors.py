"""Every error that Parkade raises on purpose, in the words of its trade.

    ParkadeError
    +-- InvalidInput              a value is unusable; `field` names it
    |   `-- BadArchive            a model archive is broken or unsafe; names the member
    +-- NotFound
    |   +-- LeaseNotFound
    |   +-- EndpointNotFound
    |   +-- ConfigNotFound
    |   +-- ModelNotFound
    |   +-- ComponentNotFound
    |   +-- TokenNotFound
    |   +-- RouteNotFound
    |   +-- ExecutionNotFound
    |   +-- AlarmNotFound
    |   +-- ScalableTargetNotFound
    |   +-- ScalingPolicyNotFound
    |   +-- ScheduledActionNotFound
    |   +-- SubscriberNotFound
    |   +-- LetterNotFound
    |   +-- DeploymentNotFound
    |   +-- ProjectNotFound
    |   +-- ApplicationNotFound
    |   +-- TesterNotFound
    |   +-- BucketNotFound
    |   `-- ObjectNotFound
    +-- Conflict                  what is there does not go together with what was asked
    |   +-- AlreadyExists
    |   +-- InUse
    |   +-- VersionConflict       a compare-and-set lost its race; read again
    |   `-- EndpointBusy          Creating, Updating or Deleting: wait
    +-- Unauthenticated           no token, or one that is unknown, expired or revoked
    +-- Forbidden                 the token's role or endpoints do not allow it
    +-- Throttled                 `retry_after` says when to come back
    +-- ResourceLimitExceeded     more than the configuration allows
    +-- BudgetExceeded            more than is left of the owner's budget; `until` says when it renews
    +-- TooLarge                  a body or archive over its limit
    +-- Unreadable                stored state that cannot be understood; left alone, reported
    +-- Undelivered               a receiver did not take a message; `final`: nor will it
    +-- StartFailed               a worker or endpoint could not be started; says why
    `-- Unavailable               not now; `retry_after` and `hint` say what to do

The tree knows neither HTTP nor boto: adapters translate inwards, apps outwards, each from
one table. `message` says what was asked and what is wrong, `hint` what to do about it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class ParkadeError(Exception):
    """Root of all errors raised on purpose; anything else is a bug."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidInput(ParkadeError):
    """A value that was given cannot be used; `field` is its name as the caller spelt it."""

    def __init__(self, message: str, *, field: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class BadArchive(InvalidInput):
    """A model archive is broken or unsafe; the message names the member."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, field="ModelDataUrl", hint=hint)


class NotFound(ParkadeError):
    """What was asked for does not exist."""


class LeaseNotFound(NotFound):
    """No lease has this endpoint name."""


class EndpointNotFound(NotFound):
    """Hosting knows no endpoint of this name."""


class ConfigNotFound(NotFound):
    """No endpoint config has this name."""


class ModelNotFound(NotFound):
    """No model has this name."""


class ComponentNotFound(NotFound):
    """No inference component has this name."""


class TokenNotFound(NotFound):
    """No token has this name."""


class RouteNotFound(NotFound):
    """No route has this path."""


class ExecutionNotFound(NotFound):
    """No execution has this ARN, or it is not yours to see."""


class AlarmNotFound(NotFound):
    """No alarm has this name."""


class ScalableTargetNotFound(NotFound):
    """Nothing of this resource id is registered to be scaled."""


class ScalingPolicyNotFound(NotFound):
    """The scalable target has no policy of this name."""


class ScheduledActionNotFound(NotFound):
    """The scalable target has no scheduled action of this name."""


class SubscriberNotFound(NotFound):
    """No subscriber has this name."""


class LetterNotFound(NotFound):
    """No letter has this id."""


class DeploymentNotFound(NotFound):
    """No deployment has this id."""


class ProjectNotFound(NotFound):
    """No project has this prefix."""


class ApplicationNotFound(NotFound):
    """No application of a project has this id."""


class TesterNotFound(NotFound):
    """No tester has this name."""


class BucketNotFound(NotFound):
    """No bucket has this name."""


class ObjectNotFound(NotFound):
    """No object has this s3:// address."""


class Conflict(ParkadeError):
    """What is there does not go together with what was asked."""


class AlreadyExists(Conflict):
    """The name is taken."""


class InUse(Conflict):
    """Something still refers to it."""


class VersionConflict(Conflict):
    """A compare-and-set write found a newer version: read again and decide again."""


class EndpointBusy(Conflict):
    """The endpoint is Creating, Updating or Deleting; what was asked has to wait."""


class Unauthenticated(ParkadeError):
    """No token was given, or it is unknown, expired or revoked."""


class Forbidden(ParkadeError):
    """The token's role or endpoints do not allow this."""


class Throttled(ParkadeError):
    """Too many requests; come back after `retry_after`."""

    def __init__(self, message: str, *, retry_after: timedelta, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class ResourceLimitExceeded(ParkadeError):
    """More was asked for than the configuration allows."""


class BudgetExceeded(ParkadeError):
    """More was asked for than is left of the owner's budget; it renews at `until`."""

    def __init__(self, message: str, *, until: datetime, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.until = until


class TooLarge(ParkadeError):
    """A body, object or archive is over its limit."""


class Unreadable(ParkadeError):
    """Stored state that cannot be understood; it is left alone and reported."""


class Undelivered(ParkadeError):
    """A receiver did not take a message; `final` where asking again will not help."""

    def __init__(
        self, message: str, *, final: bool = False, retry_after: timedelta = timedelta(0)
    ) -> None:
        super().__init__(message)
        self.final = final
        #: How long the receiver asked to be left alone.
        self.retry_after = retry_after


class StartFailed(ParkadeError):
    """A worker or an endpoint could not be started; the message is the FailureReason."""


class Unavailable(ParkadeError):
    """Not possible now, possible later; `retry_after` is an estimate."""

    def __init__(
        self, message: str, *, retry_after: timedelta = timedelta(seconds=1), hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
