"""The maintainer, from outside: why, snooze, maintain, tags, undo."""

from typing import Annotated

from fastapi import Query

from parkade.apps.api.auth import Invoker, Operator, require_sight
from parkade.apps.api.route import Both, router
from parkade.apps.api.schemas.upkeep import (
    MaintainForm,
    MaintainView,
    SnoozeForm,
    TagsForm,
    TagsView,
    UndoableView,
    UndoList,
    WatchView,
    WhyView,
)

routes = router("Maintenance")


@routes.get("/v1/endpoints/{endpoint_name}/why")
async def why(services: Both, caller: Invoker, endpoint_name: str) -> WhyView:
    """Tell why an endpoint runs, or does not, with the evidence. Changes nothing.

    That is what a sweep would do about it now, where it stands on the maintainer's ladder, how it is
    used as far as that is known, and the last decision that was made about it.
    """
    require_sight(caller, endpoint_name)
    return WhyView.of(services.upkeep.whys.of(endpoint_name))


@routes.post("/v1/endpoints/{endpoint_name}/snooze")
async def snooze(
    services: Both, caller: Operator, endpoint_name: str, form: SnoozeForm | None = None
) -> WatchView:
    """Let the windows of an idle endpoint begin later.

    Once in an idle time: 409 until the endpoint was used again.
    """
    amount = form.minutes if form else None
    return WatchView.of(services.upkeep.snoozing.snooze(endpoint_name, amount, actor=caller.name))


@routes.get("/v1/endpoints/{endpoint_name}/maintain")
async def get_maintain(services: Both, caller: Invoker, endpoint_name: str) -> MaintainView:
    """Tell whether the maintainer watches an endpoint, and by which rules."""
    require_sight(caller, endpoint_name)
    services.upkeep.tagging.get(endpoint_name)  # raises where there is none
    return MaintainView.of(services.upkeep.maintaining.asked(endpoint_name))


@routes.put("/v1/endpoints/{endpoint_name}/maintain")
async def put_maintain(
    services: Both, caller: Operator, endpoint_name: str, form: MaintainForm
) -> MaintainView:
    """Settle whether the maintainer watches a leased endpoint, and by which timers.

    This comes before its tags. Other timers begin the windows anew.
    """
    maintaining = services.upkeep.maintaining
    if form.watch == "on":
        asked = maintaining.watch(endpoint_name, form.timers(), actor=caller.name)
    elif form.watch == "off":
        asked = maintaining.leave_alone(endpoint_name, actor=caller.name)
    else:
        asked = maintaining.by_tag(endpoint_name, actor=caller.name)
    return MaintainView.of(asked)


@routes.get("/v1/endpoints/{endpoint_name}/tags")
async def get_tags(services: Both, caller: Invoker, endpoint_name: str) -> TagsView:
    """List the tags of an endpoint that runs or is leased."""
    require_sight(caller, endpoint_name)
    return TagsView(tags=dict(services.upkeep.tagging.get(endpoint_name)))


@routes.put("/v1/endpoints/{endpoint_name}/tags")
async def put_tags(
    services: Both, caller: Operator, endpoint_name: str, form: TagsForm
) -> TagsView:
    """Set tags, over those of the same keys; the others stay."""
    tags = services.upkeep.tagging.put(endpoint_name, form.tags, actor=caller.name)
    return TagsView(tags=dict(tags))


@routes.delete("/v1/endpoints/{endpoint_name}/tags")
async def delete_tags(
    services: Both,
    caller: Operator,
    endpoint_name: str,
    key: Annotated[list[str], Query(description="Key to take away; repeat it for more.")],
) -> TagsView:
    """Take tags away; those that are not there count as taken."""
    tags = services.upkeep.tagging.remove(endpoint_name, key, actor=caller.name)
    return TagsView(tags=dict(tags))


@routes.get("/v1/undo")
async def list_undo(services: Both, _caller: Operator) -> UndoList:
    """List what was stopped or deleted and can be brought back."""
    return UndoList(endpoints=[UndoableView.of(each) for each in services.undo.all()])


@routes.post("/v1/endpoints/{endpoint_name}/undo")
async def undo(services: Both, caller: Operator, endpoint_name: str) -> UndoableView:
    """Bring back an endpoint that was stopped or deleted, as it was, with the time that it had.

    Its config and models are made again where they were deleted. 409 where it runs, where its time
    had run out, or where something else has a name that it needs.
    """
    return UndoableView.of(services.undo.undo(endpoint_name, actor=caller.name))
