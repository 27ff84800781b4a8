"""What a host that was killed has left behind: its workers, their folders, their data.

Nothing is trusted but the store and the markers of processes. A worker is adopted if it is
recorded, its endpoint still has a place for it, and it leads its session as workers do.
"""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from parkade.domain.errors import NotFound
from parkade.runtime import leftovers, workers
from parkade.runtime.fleets import Found

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from parkade.runtime.fleets import Fleet
    from parkade.runtime.leftovers import Marked
    from parkade.runtime.premises import Premises
    from parkade.runtime.rules import HostPaths

#: For processes that serve nothing any more.
_GRACE = timedelta(seconds=1)


async def recover(premises: Premises, fleets: Mapping[str, Fleet]) -> list[Found]:
    """Return what was found for the fleets; of all else that was left, nothing is there any more."""
    marked = await asyncio.to_thread(leftovers.find, premises.state_id)
    found = _adopt(premises, fleets, marked)
    await _clear_all_but({each.record.id for each in found}, premises)
    await _hold_data(premises, fleets, found)
    return found


def _adopt(
    premises: Premises, fleets: Mapping[str, Fleet], marked: Sequence[Marked]
) -> list[Found]:
    leaders: dict[str, Marked] = {}
    for each in marked:
        known = leaders.get(each.instance_id)
        # A process that a worker forked may lead a session, too; the worker is the older one.
        if each.leads and (known is None or each.created < known.created):
            leaders[each.instance_id] = each
    found = []
    for record in premises.store.instances():
        leader, fleet = leaders.get(record.id), fleets.get(record.endpoint_name)
        if leader is None or fleet is None or not fleet.keeps(record.variant_name):
            continue
        worker = workers.adopt(leader.process)
        if worker is not None:
            found.append(Found(record=record, worker=worker, model_dir=Path(leader.model_dir)))
    return found


async def _clear_all_but(adopted: Collection[str], premises: Premises) -> None:
    """End what nobody knows, and forget what is recorded and gone."""
    ended = await leftovers.clear(
        premises.state_id,
        lambda marked: marked.instance_id not in adopted,
        grace=min(premises.rules().patience.grace, _GRACE),
    )
    if ended:
        reason = f"{ended} left-over processes were ended"
        premises.history.append(premises.event("host.cleaned", "", reason))
    for record in premises.store.instances():
        if record.id not in adopted:
            premises.store.remove_instance(record.id)
    await asyncio.to_thread(_remove_all_but, adopted, premises.paths)


def _remove_all_but(adopted: Collection[str], paths: HostPaths) -> None:
    for folder in paths.work.iterdir():
        if folder.name not in adopted:
            shutil.rmtree(folder)
    for socket in paths.sockets.iterdir():
        if socket.stem not in adopted:
            socket.unlink()


async def _hold_data(
    premises: Premises, fleets: Mapping[str, Fleet], found: Sequence[Found]
) -> None:
    """Keep the unpacked data that endpoints use, or will; remove all other."""
    for each in found:
        premises.data.hold(each.model_dir.name, each.record.endpoint_name)
    for fleet in fleets.values():
        for variant in fleet.variants if fleet.live else ():
            try:
                data_url = premises.store.model(variant.model_name).data_url
                digest = await asyncio.to_thread(premises.data.digest, data_url)
            except NotFound:
                continue  # told when it is started
            premises.data.hold(digest, fleet.name)
    await premises.data.tidy()
