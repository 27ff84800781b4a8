"""The hosting port over SageMaker.

SageMaker has no sleep: what sleeps is deleted, and waking it is creating it, as the port allows.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from parkade.adapters.aws.refusals import calling
from parkade.adapters.aws.sagemaker.descriptions import running
from parkade.adapters.aws.sagemaker.meanings import meaning
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    Conflict,
    EndpointBusy,
    EndpointNotFound,
    InvalidInput,
    ParkadeError,
    Throttled,
    Unavailable,
)
from parkade.ports.remains import Remains

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.sagemaker.aftercare import Aftercare
    from parkade.adapters.aws.sagemaker.sight import Sight
    from parkade.adapters.aws.sagemaker.sights import Sights
    from parkade.adapters.aws.sagemaker.tags import Tags
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.ports.clock import Clock
    from parkade.ports.remains import RemainsKeeper

logger = logging.getLogger(__name__)


class SageMakerHosting:
    """The hosting port. Safe to use from several threads."""

    def __init__(
        self,
        account: Account,
        *,
        sights: Sights,
        tags: Tags,
        remains: RemainsKeeper,
        clock: Clock,
        aftercare: Aftercare | None = None,
        restores: bool = True,
    ) -> None:
        """Take what sees endpoints, and where tags and what is left of endpoints are kept.

        Without `aftercare` scaling and inference components go with their endpoint. Who only looks
        at endpoints `restores` nothing to them.
        """
        self._account = account
        self._sights = sights
        self._shelf = sights.shelf
        self._tags = tags
        self._remains = remains
        self._clock = clock
        self._aftercare = aftercare
        self._restores = restores

    def endpoints(self) -> Mapping[str, ObservedEndpoint]:
        """Return every endpoint by name; those that serve again get back what went with them."""
        sights = self._sights.all()
        if self._aftercare is not None and self._restores:
            try:
                self._aftercare.restore(sights)
            except ParkadeError as error:
                # Leases are kept to whatever becomes of it.
                logger.warning("what was kept is made again later: %s", error.message)
        return {name: sight.observed for name, sight in sights.items()}

    def require_config(self, config_name: str) -> None:
        """Raise ConfigNotFound unless an endpoint config has this name."""
        with calling(f"endpoint config {config_name!r} cannot be described", meaning):
            self._account.client("sagemaker").describe_endpoint_config(
                EndpointConfigName=config_name
            )

    def create(self, endpoint_name: str, config_name: str) -> None:
        """Begin to create the endpoint, with the tags that one of its name left."""
        try:
            with calling(f"endpoint {endpoint_name!r} cannot be created", meaning):
                self._account.client("sagemaker").create_endpoint(
                    EndpointName=endpoint_name,
                    EndpointConfigName=config_name,
                    Tags=self._tags.given(endpoint_name),
                )
        except AlreadyExists as error:
            # Perhaps by an attempt whose answer was lost.
            self._require_same(endpoint_name, config_name, error)
            return
        self._sights.begin(endpoint_name, config_name)

    def delete(self, endpoint_name: str) -> None:
        """Begin to delete the endpoint, once what it is and its tags are kept."""
        seen = self._sights.look(endpoint_name)
        if seen is None or seen.status is EndpointStatus.DELETING:
            return
        if not seen.observed.stoppable:
            raise _busy(seen)
        self._leave(seen)
        try:
            with calling(f"endpoint {endpoint_name!r} cannot be deleted", meaning):
                self._account.client("sagemaker").delete_endpoint(EndpointName=endpoint_name)
        except EndpointNotFound:
            return
        except (EndpointBusy, InvalidInput):
            # What SageMaker says of an endpoint that cannot be deleted now is not documented.
            now = self._sights.look(endpoint_name)
            if now is None or now.status is EndpointStatus.DELETING:
                return
            if self._aftercare is not None:
                self._aftercare.abandon(endpoint_name)
            if not now.observed.stoppable:
                raise _busy(now) from None
            raise

    def sleep(self, endpoint_name: str) -> None:
        """Begin to delete the endpoint, which is how it sleeps here."""
        seen = self._sights.look(endpoint_name)
        if seen is None or seen.status is EndpointStatus.DELETING:
            return
        if seen.status is EndpointStatus.FAILED:
            raise Conflict(f"endpoint {endpoint_name!r} is Failed", hint="delete it")
        if seen.status is not EndpointStatus.IN_SERVICE:
            raise _busy(seen)
        self.delete(endpoint_name)

    def wake(self, endpoint_name: str) -> None:
        """Do nothing: what is there is awake, and what slept is created."""
        seen = self._sights.look(endpoint_name)
        if seen is None:
            raise EndpointNotFound(
                f"no endpoint has the name {endpoint_name!r}",
                hint="on AWS what sleeps is not there; it wakes by being created",
            )
        if seen.status is EndpointStatus.DELETING:
            raise _busy(seen)

    def _require_same(self, endpoint_name: str, config_name: str, error: AlreadyExists) -> None:
        """Raise unless the endpoint that exists is, or is about to be, of this config."""
        seen = self._sights.look(endpoint_name)
        if seen is None:
            raise EndpointBusy(
                f"endpoint {endpoint_name!r} goes just now", hint="wait until it is gone"
            ) from error
        if seen.status is EndpointStatus.DELETING:
            raise _busy(seen) from error
        if seen.config_name != config_name:
            raise AlreadyExists(
                f"endpoint {endpoint_name!r} exists with the config {seen.config_name!r}"
            ) from error

    def _leave(self, seen: Sight) -> None:
        """Keep what brings the endpoint back; what of it is lost already keeps it from nothing."""
        tags: Mapping[str, str] = {}
        with _as_far_as_can_be("the tags", seen.name):
            tags = self._tags.keep(seen.name)
        if self._aftercare is not None:
            with _as_far_as_can_be("scaling and inference components", seen.name):
                self._aftercare.keep(seen)
        with _as_far_as_can_be("what runs", seen.name):
            self._keep(seen, tags)

    def _keep(self, seen: Sight, tags: Mapping[str, str]) -> None:
        blueprint = self._shelf.blueprint_of(seen.name, seen.config_name)
        # What is scaled to nothing begins with one again: SageMaker takes no config with less.
        least = {part.name: 1 for part in seen.parts if not (part.serverless or part.desired)}
        self._remains.put(
            Remains(
                endpoint_name=seen.name,
                created_at=seen.created_at,
                removed_at=self._clock.now(),
                blueprint=running(blueprint, seen).changed(least, {}),
                tags=dict(tags),
            )
        )


@contextmanager
def _as_far_as_can_be(what: str, endpoint_name: str) -> Iterator[None]:
    """Let nothing that lasts keep an endpoint from going; what passes is waited for."""
    try:
        yield
    except (EndpointBusy, Throttled, Unavailable):
        raise
    except ParkadeError as error:
        logger.warning("%s of %s cannot be brought back: %s", what, endpoint_name, error.message)


def _busy(seen: Sight) -> EndpointBusy:
    return EndpointBusy(f"endpoint {seen.name!r} is {seen.status}", hint="wait until it is at rest")
