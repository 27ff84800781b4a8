"""Variants of an endpoint side by side: `/v1/endpoints/{name}/ab`."""

import asyncio
from datetime import timedelta
from typing import Annotated

from fastapi import Query

from parkade.apps.api.auth import Invoker, require_sight
from parkade.apps.api.route import Served, router
from parkade.apps.api.schemas.ab import ExperimentView
from parkade.domain.ab.verdicts import SMALLEST
from parkade.domain.comparing import fields
from parkade.domain.comparing.answers import Rules
from parkade.domain.comparing.tolerance import Tolerance
from parkade.services.experiments import LONGEST, Experiments, Period

routes = router("Endpoints", "/v1/endpoints/{endpoint_name}/ab")

Fields = Annotated[
    list[str],
    Query(
        description="Of a shadow's captured answers: only this field, `$.label`; repeat it for several."
    ),
]
Ignored = Annotated[
    list[str], Query(description="Without this field, `$.results[*].at`; repeat it for several.")
]


@routes.get("")
async def compare_variants(
    services: Served,
    caller: Invoker,
    endpoint_name: str,
    *,
    span: Annotated[
        float, Query(ge=60, le=LONGEST.total_seconds(), description="seconds. How far back.")
    ] = 3600,
    smallest: Annotated[
        float,
        Query(gt=0, le=1, description="The smallest difference of error rates that matters."),
    ] = SMALLEST,
    field: Fields = [],  # noqa: B006  FastAPI copies it
    ignore: Ignored = [],  # noqa: B006
    tolerance: Annotated[
        str, Query(description="Numbers may differ by `0.01`, by `1%`, or by `0.01,1%`.")
    ] = "0",
) -> ExperimentView:
    """Compare the variants of an endpoint: requests, errors, latencies, each with how sure it is.

    Measured is the time back from now, in whole minutes. Where there is a shadow variant and data
    capture, the newest of their answers to the same requests are compared, too.
    """
    require_sight(caller, endpoint_name)
    rules = Rules(
        fields=fields.read_all(field, field="field"),
        ignored=fields.read_all(ignore, field="ignore"),
        tolerance=Tolerance.read(tolerance),
    )
    back = timedelta(seconds=span)
    now, wall = services.clock.now(), services.wall.now()
    experiments = Experiments(services.catalog, services.monitor.store, services.objects)
    found = await asyncio.to_thread(
        experiments.look,
        endpoint_name,
        Period(now - back, now),
        captured=Period(wall - back, wall),
        rules=rules,
        smallest=smallest,
    )
    return ExperimentView.of(found)
