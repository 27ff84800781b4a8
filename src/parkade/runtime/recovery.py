"""What a host that was killed has left behind: its workers, their folders, their data.

Nothing is trusted but the store and the markers of processes. A worker is adopted if it is
recorded, what it belongs to is there, and it leads its session as workers do; of whichever
generation, so that one that is to leave does so in order. What cannot be read is no reason to end
or remove anything: it is left as it is, and reported.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from parkade.domain.errors import InvalidInput, NotFound
from parkade.runtime import leftovers, workers
from parkade.runtime.fleets import data_user
from parkade.runtime.modeldata import submitted
from parkade.runtime.places import Found
from parkade.runtime.removal import remove

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from parkade.domain.catalog import Container
    from parkade.ports.catalog import RecordedInstance
    from parkade.runtime.leftovers import Marked
    from parkade.runtime.lifecycle import Lifecycle
    from parkade.runtime.premises import Premises
    from parkade.runtime.rules import HostPaths

_logger = logging.getLogger(__name__)

#: For processes that serve nothing any more.
_GRACE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What the store has: whose workers are kept, and what of it cannot be read."""

    #: Endpoints whose own workers are to be adopted, and components.
    endpoints: Collection[str]
    components: Collection[str]
    #: Why, by name.
    unreadable_endpoints: Mapping[str, str] = field(default_factory=dict)
    unreadable_components: Mapping[str, str] = field(default_factory=dict)

    def keeps(self, record: RecordedInstance) -> bool:
        """Tell whether the worker's keeper is there."""
        if record.component_name:
            return record.component_name in self.components
        return record.endpoint_name in self.endpoints

    def unknown(self, record: RecordedInstance) -> bool:
        """Tell whether it cannot be known what becomes of the worker."""
        if record.component_name:
            return record.component_name in self.unreadable_components
        return record.endpoint_name in self.unreadable_endpoints


async def recover(premises: Premises, stock: Stock, lifecycles: Sequence[Lifecycle]) -> list[Found]:
    """Return what was found running.

    Of all else that was left nothing is there any more, but what cannot be read and what may
    belong to it.
    """
    marked = await asyncio.to_thread(leftovers.find, premises.state_id)
    recorded = premises.store.instances()
    unclear = _report(premises, stock, recorded.unreadable)
    found = _adopt(recorded.records, stock, marked)
    kept = {each.record.id for each in found} | recorded.unreadable.keys()
    kept |= {record.id for record in recorded.records if stock.unknown(record)}
    await _clear_all_but(kept, premises)
    await _hold_data(premises, lifecycles, found)
    # Which data belongs to what cannot be read is unknown, so that all of it is kept.
    if not unclear:
        await premises.data.tidy()
    return found


def _report(premises: Premises, stock: Stock, instances: Mapping[str, str]) -> bool:
    """Tell of each thing that cannot be read, in the log and as an event; tell whether any is."""
    told = [
        (name, f"endpoint {name!r} is left as it is: {why}")
        for name, why in stock.unreadable_endpoints.items()
    ]
    told += [
        ("", f"{noun} {each!r} is left as it is: {why}")
        for noun, unreadable in (
            ("inference component", stock.unreadable_components),
            ("instance", instances),
        )
        for each, why in unreadable.items()
    ]
    for endpoint_name, reason in told:
        _logger.error("%s", reason)
        premises.history.append(premises.event("host.unreadable", endpoint_name, reason))
    return bool(told)


def _adopt(
    recorded: Sequence[RecordedInstance], stock: Stock, marked: Sequence[Marked]
) -> list[Found]:
    leaders: dict[str, Marked] = {}
    for each in marked:
        known = leaders.get(each.instance_id)
        # A process that a worker forked may lead a session, too; the worker is the older one.
        if each.leads and (known is None or each.created < known.created):
            leaders[each.instance_id] = each
    found = []
    for record in recorded:
        leader = leaders.get(record.id)
        if leader is None or not stock.keeps(record):
            continue
        worker = workers.adopt(leader.process)
        if worker is not None:
            found.append(
                Found(
                    record=record,
                    worker=worker,
                    model_dir=leader.model_dir,
                    address=leader.address,
                    health=leader.health,
                )
            )
    return found


async def _clear_all_but(kept: Collection[str], premises: Premises) -> None:
    """End what nobody knows, and forget what is recorded and gone."""
    ended = await leftovers.clear(
        premises.state_id,
        lambda marked: marked.instance_id not in kept,
        grace=min(premises.rules().patience.grace, _GRACE),
    )
    if ended:
        reason = f"{ended} left-over processes were ended"
        premises.history.append(premises.event("host.cleaned", "", reason))
    for record in premises.store.instances().records:
        if record.id not in kept:
            premises.store.remove_instance(record.id)
    await asyncio.to_thread(_remove_all_but, kept, premises.paths)


def _remove_all_but(kept: Collection[str], paths: HostPaths) -> None:
    for folder in paths.work.iterdir():
        if folder.name not in kept:
            remove(folder)
    for socket in paths.sockets.iterdir():
        if socket.stem not in kept:
            socket.unlink()


async def _hold_data(
    premises: Premises, lifecycles: Sequence[Lifecycle], found: Sequence[Found]
) -> None:
    """Keep the unpacked data that is used, or will be."""
    for each in found:
        folder = premises.data.folder(each.model_dir)
        if folder is not None:
            premises.data.hold(folder.name, data_user(each.record))
    for lifecycle in lifecycles:
        if lifecycle.live:
            for user, container in lifecycle.containers():
                await _hold(premises, user, container)


async def _hold(premises: Premises, user: str, container: Container) -> None:
    if container.multi_model:
        return
    try:
        code = submitted(container.environment)
        digest = await asyncio.to_thread(premises.data.digest, container.data_url, code)
    except (NotFound, InvalidInput):
        return  # told when it is started
    premises.data.hold(digest, user)
