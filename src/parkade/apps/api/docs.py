"""The browsable documentation, without a network: the page and its scripts lie beside this file."""

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

_STATIC = Path(__file__).with_name("static")
#: Nothing from elsewhere, even if a script asked for it. Swagger UI writes styles into its page.
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


def serve(app: "FastAPI") -> None:
    """Serve the page at /docs."""
    app.add_route("/docs", _page, methods=["GET", "HEAD"], include_in_schema=False)
    app.mount("/docs/static", StaticFiles(directory=_STATIC))


async def _page(_request: "Request") -> FileResponse:
    return FileResponse(_STATIC / "docs.html", headers={"Content-Security-Policy": _POLICY})
