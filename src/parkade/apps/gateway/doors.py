"""Which addresses lead to models, and what is passed on to the control process.

Every path also answers under the prefix `/prod`. The addresses of the snapshot's endpoints and
routes, as clients usually write them, are looked up whole; only others are taken apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from parkade.apps.signing.canonical import origin_form

if TYPE_CHECKING:
    from parkade.apps import link
    from parkade.apps.gateway.dispatch import Endpoint
    from parkade.apps.gateway.fleet import Fleet

_PREFIX = b"/prod"
_STREAM = b"-response-stream"
_INVOCATIONS = re.compile(rb"/endpoints/([^/]+)/invocations(%b)?" % _STREAM)


class Door:
    """An address that invokes an endpoint; a public one asks for no token."""

    __slots__ = ("endpoint", "events", "public")

    def __init__(self, endpoint: Endpoint, *, public: bool = False, events: bool = False) -> None:
        self.endpoint = endpoint
        self.public = public
        #: Whether it answers in AWS's event-stream encoding.
        self.events = events


class Doors:
    """All addresses of the newest snapshot."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._doors: dict[bytes, Door] = {}
        self.get = self._doors.get

    def apply(self, snapshot: link.Snapshot) -> None:
        """Take up the snapshot's endpoints and routes, after the fleet has."""
        doors = {
            f"/endpoints/{name}/invocations".encode() + ending: Door(
                self._fleet.endpoint(name), events=bool(ending)
            )
            for name in snapshot.endpoints
            for ending in (b"", _STREAM)
        }
        for path, route in snapshot.routes.items():
            doors[path.encode()] = Door(self._fleet.endpoint(route.endpoint), public=route.public)
        self._doors = doors | {_PREFIX + path: door for path, door in doors.items()}
        self.get = self._doors.get

    def find(self, url: bytes, method: bytes) -> Door | bytes:
        """Return where an unusual address leads; bytes are the address for control."""
        if not url.startswith(b"/") and method != b"OPTIONS":
            url = origin_form(url)
        path, mark, query = url.partition(b"?")
        if path == _PREFIX or path.startswith(_PREFIX + b"/"):
            path = path[len(_PREFIX) :] or b"/"
        plain = unquote_to_bytes(path)
        door = self._doors.get(plain)
        if door is not None:
            return door
        match = _INVOCATIONS.fullmatch(plain)
        if match is not None:
            endpoint = self._fleet.endpoint(match[1].decode("utf-8", "replace"))
            return Door(endpoint, events=match[2] is not None)
        return path + mark + query
