"""Endpoints that ought to run and of which something cannot be read: left as they are, reported.

Where the endpoint's own record, its config or a model of it is damaged or lost, nothing of it is
ended, started anew or removed. Workers that run go on to serve; one that dies comes back once
what it needs can be read again. Deleting it by an explicit order stays possible, unless its own
record is what is damaged.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import ConfigNotFound, EndpointNotFound
from parkade.ports.catalog import RecordedEndpoint
from parkade.runtime.fleets import FAILURE_REASON_LIMIT, Fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from parkade.domain.catalog import Variant
    from parkade.runtime.fleets import Found
    from parkade.runtime.premises import Premises


def stand_in(name: str, premises: Premises) -> RecordedEndpoint:
    """Return what is shown in place of a record that cannot be read; it is never stored as such."""
    now = premises.clock.now()
    return RecordedEndpoint(
        name=name,
        config_name="",
        status=EndpointStatus.OUT_OF_SERVICE,
        created_at=now,
        changed_at=now,
    )


class Stranded(Fleet):
    """Instances that were found, and nothing beside them.

    It shows as InService while it has any, else as OutOfService, which the meter leaves to a
    person; the store keeps what it has. `variants` are those that can be read.
    """

    def __init__(
        self,
        recorded: RecordedEndpoint,
        variants: Sequence[Variant],
        premises: Premises,
        *,
        gone: Callable[[str], None],
        why: str,
    ) -> None:
        shown = replace(
            recorded,
            status=EndpointStatus.OUT_OF_SERVICE,
            failure_reason=why[:FAILURE_REASON_LIMIT],
        )
        super().__init__(shown, variants, premises, gone=gone)
        self.why = why
        self._found_variants: tuple[str, ...] = ()

    @property
    def wanted(self) -> int:
        """How many instances were found."""
        return len(self.instances) if self.live else 0

    @property
    def weights(self) -> Mapping[str, float]:
        """The variants' weights; those that were found and cannot be read weigh the same."""
        return {**dict.fromkeys(self._found_variants, 1.0), **super().weights}

    def keeps(self, variant_name: str) -> bool:
        """Keep every instance: what has no place here cannot be known."""
        del variant_name
        return True

    def begin(self, found: Sequence[Found] = ()) -> None:
        """Go on with the workers that were found running."""
        self._found_variants = tuple(sorted({each.record.variant_name for each in found}))
        if found:
            self.recorded = replace(self.recorded, status=EndpointStatus.IN_SERVICE)
        super().begin(found)

    def delete(self, actor: str) -> None:
        """Begin to delete it. Raises Unreadable where its record is still damaged."""
        if self.recorded.status is not EndpointStatus.DELETING:
            # One whose record somebody has removed meanwhile is deleted all the same.
            with suppress(EndpointNotFound):
                stored = self._premises.store.endpoint(self.name)
                self.recorded = replace(stored, status=self.recorded.status)
        super().delete(actor)

    async def _fill(self) -> None:
        """Start nothing: what is wanted cannot be known."""

    def _model_name(self, variant_name: str) -> str:
        """Read it anew each time, for somebody may have put right what was damaged."""
        config_name = self._premises.store.endpoint(self.name).config_name
        for variant in self._premises.store.config(config_name).variants:
            if variant.name == variant_name:
                return variant.model_name
        raise ConfigNotFound(f"endpoint config {config_name!r} has no variant {variant_name!r}")
