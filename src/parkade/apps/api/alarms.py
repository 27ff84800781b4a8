"""Alarms: `/v1/alarms`. They are put by CloudWatch's own API."""

import asyncio
from typing import Annotated

from fastapi import Query

from parkade.apps.api.auth import Operator
from parkade.apps.api.paging import After, Limit, page
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.alarms import AlarmList, AlarmView
from parkade.domain.alarm import State
from parkade.services.alarms import endpoint_of, subjects

routes = router("Alarms", "/v1/alarms")


@routes.get("")
async def list_alarms(
    services: Both,
    _caller: Operator,
    endpoint: Annotated[
        str | None, Query(description="Only alarms on this endpoint, or a variant of it.")
    ] = None,
    state: Annotated[State | None, Query(description="Only alarms in this state.")] = None,
    limit: Limit = 100,
    after: After = "",
) -> AlarmList:
    """List the alarms: what each is on, the state it is in, since when, and why."""
    found = await asyncio.to_thread(services.alarm_book.all)
    wanted = [
        each
        for each in found.records
        if (state is None or each.standing.state is state)
        and (
            endpoint is None
            or endpoint in {endpoint_of(each), *(on.endpoint_name for on in subjects(each))}
        )
    ]
    shown, following = page(wanted, lambda alarm: alarm.name, limit=limit, after=after)
    return AlarmList(
        alarms=[AlarmView.of(each, services.alarm_troubles().get(each.name, "")) for each in shown],
        unreadable=dict(found.unreadable),
        next=following,
    )
