"""Puts the doors of S3 and STS into the management API, outside its OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Mount, Route

from parkade.apps.storage import s3, sts

if TYPE_CHECKING:
    from fastapi import FastAPI

    from parkade.apps.assembly import Services


def serve(app: FastAPI, services: Services) -> None:
    """Serve both doors."""
    objects, identity = s3.S3(services), sts.STS(services)
    app.router.routes += (
        Route(s3.PREFIX, objects, include_in_schema=False),
        Mount(s3.PREFIX, objects),
        Route(sts.PATH, identity, include_in_schema=False),
        Route(f"{sts.PATH}/", identity, include_in_schema=False),
    )
