"""What a host that was killed has left behind: its workers, their folders, their data.

Nothing is trusted but the store and the markers of processes. A worker is adopted if it is
recorded, its endpoint still has a place for it, and it leads its session as workers do. What
cannot be read is no reason to end or remove anything: it is left as it is, and reported.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from parkade.domain.errors import NotFound
from parkade.runtime import leftovers, workers
from parkade.runtime.fleets import Found
from parkade.runtime.stranded import Stranded

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from parkade.ports.catalog import RecordedInstance
    from parkade.runtime.fleets import Fleet
    from parkade.runtime.leftovers import Marked
    from parkade.runtime.premises import Premises
    from parkade.runtime.rules import HostPaths

_logger = logging.getLogger(__name__)

#: For processes that serve nothing any more.
_GRACE = timedelta(seconds=1)


async def recover(premises: Premises, fleets: Mapping[str, Fleet]) -> list[Found]:
    """Return what was found for the fleets.

    Of all else that was left nothing is there any more, but what cannot be read and what may
    belong to it.
    """
    marked = await asyncio.to_thread(leftovers.find, premises.state_id)
    recorded = premises.store.instances()
    stranded = {name: fleet.why for name, fleet in fleets.items() if isinstance(fleet, Stranded)}
    _report(premises, stranded, recorded.unreadable)
    found = _adopt(recorded.records, fleets, marked)
    kept = {each.record.id for each in found} | recorded.unreadable.keys()
    kept |= {record.id for record in recorded.records if record.endpoint_name in stranded}
    await _clear_all_but(kept, premises)
    await _hold_data(premises, fleets, found)
    # Which data belongs to what cannot be read is unknown, so that all of it is kept.
    if not stranded and not recorded.unreadable:
        await premises.data.tidy()
    return found


def _report(premises: Premises, stranded: Mapping[str, str], instances: Mapping[str, str]) -> None:
    """Tell of each thing that cannot be read, in the log and as an event."""
    told = [(name, f"endpoint {name!r} is left as it is: {why}") for name, why in stranded.items()]
    told += [("", f"instance {each!r} is left as it is: {why}") for each, why in instances.items()]
    for endpoint_name, reason in told:
        _logger.error("%s", reason)
        premises.history.append(premises.event("host.unreadable", endpoint_name, reason))


def _adopt(
    recorded: Sequence[RecordedInstance], fleets: Mapping[str, Fleet], marked: Sequence[Marked]
) -> list[Found]:
    leaders: dict[str, Marked] = {}
    for each in marked:
        known = leaders.get(each.instance_id)
        # A process that a worker forked may lead a session, too; the worker is the older one.
        if each.leads and (known is None or each.created < known.created):
            leaders[each.instance_id] = each
    found = []
    for record in recorded:
        leader, fleet = leaders.get(record.id), fleets.get(record.endpoint_name)
        if leader is None or fleet is None or not fleet.keeps(record.variant_name):
            continue
        worker = workers.adopt(leader.process)
        if worker is not None:
            found.append(Found(record=record, worker=worker, model_dir=Path(leader.model_dir)))
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
            shutil.rmtree(folder)
    for socket in paths.sockets.iterdir():
        if socket.stem not in kept:
            socket.unlink()


async def _hold_data(
    premises: Premises, fleets: Mapping[str, Fleet], found: Sequence[Found]
) -> None:
    """Keep the unpacked data that endpoints use, or will."""
    for each in found:
        premises.data.hold(each.model_dir.name, each.record.endpoint_name)
    for fleet in fleets.values():
        if not fleet.live or isinstance(fleet, Stranded):
            continue
        for variant in fleet.variants:
            try:
                data_url = premises.store.model(variant.model_name).data_url
                digest = await asyncio.to_thread(premises.data.digest, data_url)
            except NotFound:
                continue  # told when it is started
            premises.data.hold(digest, fleet.name)
