"""Endpoints that ought to run and whose record cannot be read: left as they are, reported.

Nothing of such an endpoint is ended, started anew or removed. Workers that run go on to serve; one
that dies comes back once the record can be read again. It can be deleted when that is so, or when
somebody has removed the record.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from parkade.domain.endpoint import EndpointStatus, ObservedEndpoint
from parkade.domain.errors import EndpointNotFound, Unreadable
from parkade.runtime.changes import change_of, tags_of
from parkade.runtime.groups import Group
from parkade.runtime.keeping import Keeper
from parkade.runtime.lifecycle import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parkade.domain.catalog import Container
    from parkade.runtime.components import Copies
    from parkade.runtime.places import Found
    from parkade.runtime.premises import Premises


class Stranded(Keeper):
    """Instances that were found, and nothing beside them.

    It shows as InService while it has any, else as OutOfService, which the meter leaves to a
    person; the store keeps what it has.
    """

    def __init__(
        self,
        name: str,
        premises: Premises,
        *,
        why: str,
        components: Callable[[], Sequence[Copies]],
        gone: Callable[[], None],
    ) -> None:
        super().__init__(premises, name, gone=gone)
        self.why = why
        self.components = components
        self.status = EndpointStatus.OUT_OF_SERVICE
        self._seen_at = premises.clock.now()

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self.endpoint_name

    @property
    def live(self) -> bool:
        """Whether anything of it was found."""
        return self.status is EndpointStatus.IN_SERVICE

    def observed(self) -> ObservedEndpoint:
        """Describe it as far as that is known."""
        return ObservedEndpoint(
            name=self.name,
            status=self.status,
            config_name="",
            changed_at=self._seen_at,
            created_at=self._seen_at,
            failure_reason=shortened(self.why),
            healthy=self.fleet.healthy,
            wanted=self.fleet.wanted if self.live else 0,
        )

    def begin(self, found: Sequence[Found] = ()) -> None:
        """Go on with the workers that were found running, of whichever generation."""
        if found:
            self.status = EndpointStatus.IN_SERVICE
        names = sorted({each.record.variant_name for each in found})
        self.fleet.groups = tuple(self._group(name, found) for name in names)
        self.fleet.adopt(found, served=True)

    def _group(self, variant_name: str, found: Sequence[Found]) -> Group:
        records = [e.record for e in found if e.record.variant_name == variant_name]
        return Group(
            name=variant_name,
            variant_name=variant_name,
            size=1 + max(record.container for record in records),
            container=partial(self._container, variant_name),
            count=len({record.instance or record.id for record in records}),
        )

    def _container(self, variant_name: str, number: int) -> Container:
        """Read it anew each time, for somebody may have put right what was damaged."""
        blueprint = self._premises.store.endpoint(self.name).blueprint
        for variant in blueprint.config.every:
            if variant.name == variant_name:
                return blueprint.model(variant.model_name).containers[number]
        raise Unreadable(f"endpoint {self.name!r} has no variant {variant_name!r} any more")

    @property
    def asleep(self) -> bool:
        """Whether it sleeps: what cannot be read is left as it is."""
        return False

    def hear(self) -> None:
        """Take no note of what its inference components do."""

    def require_idle(self, done: str) -> NoReturn:
        """Raise Unreadable: nothing can be done with it."""
        raise Unreadable(
            f"endpoint {self.name!r} cannot be {done}: {self.why}",
            hint="put right in the database what cannot be read, then restart Parkade",
        )

    def delete(self, actor: str) -> None:
        """Begin to delete it. Raises Unreadable where its record is still damaged."""
        if self.status is EndpointStatus.DELETING:
            return
        # One whose record somebody has removed meanwhile is deleted all the same.
        with suppress(EndpointNotFound):
            store = self._premises.store
            stored = store.endpoint(self.name)
            deleting = replace(
                stored,
                status=EndpointStatus.DELETING,
                changed_at=self._premises.clock.now(),
                target=None,
            )
            change = change_of(deleting, tags_of(self.name, store), before=stored.status)
            store.put_endpoint(
                deleting,
                self._premises.event(
                    "endpoint.deleting", self.name, "it is being deleted", actor, change=change
                ),
            )
        self.status = EndpointStatus.DELETING
        self._go(self._remove)
        self._premises.changed()

    def _record_end(self) -> None:
        event = self._premises.event("endpoint.deleted", self.name, "nothing of it runs any more")
        self._premises.store.remove_endpoint(self.name, event)
