"""Hosting without processes: statuses move on when told to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from parkade.domain.endpoint import SERVING, EndpointStatus, ObservedEndpoint
from parkade.domain.errors import (
    AlreadyExists,
    ConfigNotFound,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    ParkadeError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parkade.ports.clock import Clock

_UNDELETABLE = (
    EndpointStatus.CREATING,
    EndpointStatus.UPDATING,
    EndpointStatus.SYSTEM_UPDATING,
)


class MemoryHosting:
    """The hosting port. An endpoint stays on its way until `settle`, `fail` or `enter`."""

    def __init__(self, clock: Clock, configs: Iterable[str] = ()) -> None:
        self._clock = clock
        self._configs = set(configs)
        self._endpoints: dict[str, ObservedEndpoint] = {}
        self._refusals: dict[tuple[str, str], ParkadeError] = {}
        self._hidden: ParkadeError | None = None
        self._waking: set[str] = set()
        #: Every call that changes something, as ("create", "delete", "sleep" or "wake", name).
        self.calls: list[tuple[str, str]] = []

    def endpoints(self) -> Mapping[str, ObservedEndpoint]:
        """Return every endpoint by name."""
        if self._hidden is not None:
            raise self._hidden
        return dict(sorted(self._endpoints.items()))

    def require_config(self, config_name: str) -> None:
        """Raise ConfigNotFound unless the config was added."""
        if config_name not in self._configs:
            raise ConfigNotFound(f"no endpoint config has the name {config_name!r}")

    def forget_config(self, config_name: str) -> None:
        """Let the config be gone, as if somebody had deleted it."""
        self._configs.discard(config_name)

    def create(self, endpoint_name: str, config_name: str) -> None:
        """Record the endpoint as Creating."""
        self._call("create", endpoint_name)
        self.require_config(config_name)
        present = self._endpoints.get(endpoint_name)
        if present is None:
            now = self._clock.now()
            self._endpoints[endpoint_name] = ObservedEndpoint(
                name=endpoint_name,
                status=EndpointStatus.CREATING,
                config_name=config_name,
                created_at=now,
                changed_at=now,
                wanted=1,
            )
        elif present.status is EndpointStatus.DELETING:
            raise EndpointBusy(
                f"endpoint {endpoint_name!r} is Deleting", hint="wait until it is gone"
            )
        elif present.config_name != config_name:
            raise AlreadyExists(
                f"endpoint {endpoint_name!r} exists with the config {present.config_name!r}"
            )

    def delete(self, endpoint_name: str) -> None:
        """Record the endpoint as Deleting."""
        self._call("delete", endpoint_name)
        present = self._endpoints.get(endpoint_name)
        if present is None or present.status is EndpointStatus.DELETING:
            return
        if present.status in _UNDELETABLE and not present.stoppable:
            raise EndpointBusy(
                f"endpoint {endpoint_name!r} is {present.status}", hint="wait until it is at rest"
            )
        self._change(endpoint_name, rollout=None)
        self.enter(endpoint_name, EndpointStatus.DELETING)

    def sleep(self, endpoint_name: str) -> None:
        """Record the endpoint as Updating, with nothing wanted any more."""
        self._call("sleep", endpoint_name)
        present = self._endpoints.get(endpoint_name)
        if present is None or present.asleep:
            return
        if present.status is EndpointStatus.FAILED:
            raise Conflict(f"endpoint {endpoint_name!r} is Failed", hint="delete it")
        if present.status is not EndpointStatus.IN_SERVICE or present.changing:
            raise EndpointBusy(
                f"endpoint {endpoint_name!r} is {present.status}", hint="wait until it is at rest"
            )
        self.enter(endpoint_name, EndpointStatus.UPDATING)
        self._change(endpoint_name, asleep=True, wanted=0, healthy=0)

    def wake(self, endpoint_name: str) -> None:
        """Record the endpoint as SystemUpdating, with its instances wanted again."""
        self._call("wake", endpoint_name)
        present = self._present(endpoint_name)
        if not present.asleep:
            return
        if present.status is not EndpointStatus.IN_SERVICE:
            raise EndpointBusy(
                f"endpoint {endpoint_name!r} is {present.status}", hint="wait until it is at rest"
            )
        self.enter(endpoint_name, EndpointStatus.SYSTEM_UPDATING)
        self._waking.add(endpoint_name)
        self._change(
            endpoint_name, asleep=False, wanted=1, healthy=0, awake_since=self._clock.now()
        )

    def add_config(self, config_name: str) -> None:
        """Make an endpoint config known."""
        self._configs.add(config_name)

    def settle(self, endpoint_name: str) -> None:
        """Let the endpoint arrive: gone where it is Deleting, in service otherwise."""
        present = self._present(endpoint_name)
        if present.status is EndpointStatus.DELETING:
            del self._endpoints[endpoint_name]
            return
        self.enter(endpoint_name, EndpointStatus.IN_SERVICE)
        if present.asleep:
            self._change(endpoint_name, healthy=0)
        elif present.status is EndpointStatus.CREATING or endpoint_name in self._waking:
            self._waking.discard(endpoint_name)
            self._change(endpoint_name, awake_since=self._clock.now())

    def fail(self, endpoint_name: str, reason: str) -> None:
        """Let the endpoint fail."""
        self.enter(endpoint_name, EndpointStatus.FAILED, failure_reason=reason)

    def enter(
        self, endpoint_name: str, status: EndpointStatus, *, failure_reason: str = ""
    ) -> None:
        """Give the endpoint a status, as if by hosting itself."""
        self._endpoints[endpoint_name] = replace(
            self._present(endpoint_name),
            status=status,
            failure_reason=failure_reason,
            changed_at=self._clock.now(),
            healthy=int(status in SERVING),
        )

    def _change(self, endpoint_name: str, **changes: Any) -> None:
        self._endpoints[endpoint_name] = replace(self._endpoints[endpoint_name], **changes)

    def place(self, endpoint: ObservedEndpoint) -> None:
        """Put an endpoint there that nobody created here."""
        self._endpoints[endpoint.name] = endpoint

    def vanish(self, endpoint_name: str) -> None:
        """Take the endpoint away, as a person with a console of their own would."""
        del self._endpoints[endpoint_name]

    def refuse(self, call: str, endpoint_name: str, error: ParkadeError | None) -> None:
        """Raise this error at each "create", "delete" ... of the endpoint; None: no longer."""
        if error is None:
            self._refusals.pop((call, endpoint_name), None)
        else:
            self._refusals[call, endpoint_name] = error

    def hide(self, error: ParkadeError | None) -> None:
        """Raise this error instead of showing the endpoints; None: no longer."""
        self._hidden = error

    def _call(self, call: str, endpoint_name: str) -> None:
        self.calls.append((call, endpoint_name))
        refusal = self._refusals.get((call, endpoint_name))
        if refusal is not None:
            raise refusal

    def _present(self, endpoint_name: str) -> ObservedEndpoint:
        if endpoint_name not in self._endpoints:
            raise EndpointNotFound(f"no endpoint has the name {endpoint_name!r}")
        return self._endpoints[endpoint_name]
