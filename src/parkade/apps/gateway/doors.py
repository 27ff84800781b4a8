"""Which addresses lead to models, and what is passed on to the control process.

Every path also answers under the prefix `/prod`. The addresses of the snapshot's endpoints and
routes, as clients usually write them, are looked up whole; only others are taken apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from parkade.apps import linkcalls
from parkade.apps.gateway import answers
from parkade.apps.gateway.admission import Bucket
from parkade.apps.gateway.sticking import sticking
from parkade.apps.signing.canonical import origin_form

if TYPE_CHECKING:
    from parkade.apps import link
    from parkade.apps.gateway.awaiting import Awaiting
    from parkade.apps.gateway.calls import CallBook, PathCalls
    from parkade.apps.gateway.deadlines import Deadlines
    from parkade.apps.gateway.dispatch import Endpoint
    from parkade.apps.gateway.fleet import Fleet
    from parkade.apps.gateway.sticking import Cookie, Header

_PREFIX = b"/prod"
_STREAM = b"-response-stream"
_INVOCATIONS = re.compile(rb"/endpoints/([^/]+)/invocations(%b)?" % _STREAM)


class Door:
    """An address that invokes an endpoint; a public one asks for no token."""

    __slots__ = ("calls", "endpoint", "events", "patience", "public", "rate", "sticky")

    def __init__(
        self, endpoint: Endpoint, calls: PathCalls, *, public: bool = False, events: bool = False
    ) -> None:
        self.endpoint = endpoint
        self.public = public
        #: Whether it answers in AWS's event-stream encoding.
        self.events = events
        #: Where what comes by it is counted.
        self.calls = calls
        #: How often it may be called; None: as often as tokens may call.
        self.rate: Rate | None = None
        #: The time limit of its requests; None: that of all.
        self.patience: Deadlines[Awaiting] | None = None
        #: What tells callers apart who get the same variant each time; None: nothing does.
        self.sticky: Header | Cookie | None = None


class Rate:
    """How often all callers of a route together may call."""

    __slots__ = ("_path", "bucket")

    def __init__(self, path: str, bucket: Bucket) -> None:
        self.bucket = bucket
        self._path = path

    def refusal(self) -> answers.Answer | None:
        """Count a call, or return why it comes too early."""
        seconds = self.bucket.take()
        return answers.route_throttled(self._path, seconds) if seconds else None


class Doors:
    """All addresses of the newest snapshot."""

    def __init__(self, fleet: Fleet, calls: CallBook, *, secure: bool) -> None:
        """`secure`: whether callers come over TLS."""
        self._fleet = fleet
        self._secure = secure
        self._calls = calls
        self._plain = calls.of(linkcalls.PARKADE, linkcalls.INVOCATIONS)
        self._streams = calls.of(linkcalls.PARKADE, linkcalls.STREAMS)
        #: By path; what was used of a rate stays used when it changes.
        self._rates: dict[str, Rate] = {}
        self._doors: dict[bytes, Door] = {}
        self.get = self._doors.get

    def apply(self, snapshot: link.Snapshot) -> None:
        """Take up the snapshot's endpoints and routes, after the fleet has."""
        doors = {
            f"/endpoints/{name}/invocations".encode() + ending: self._door(name, ending)
            for name in snapshot.endpoints
            for ending in (b"", _STREAM)
        }
        self._doors = doors | {_PREFIX + path: door for path, door in doors.items()}
        self._rates = {
            path: self._rate(path, route.rate, route.burst)
            for path, route in snapshot.routes.items()
            if route.rate is not None
        }
        for path, route in snapshot.routes.items():
            for address in (path, _PREFIX.decode() + path):
                self._doors[address.encode()] = self._route(path, address, route)
        self.get = self._doors.get

    def find(self, url: bytes, method: bytes) -> Door | bytes:
        """Return where an unusual address leads; bytes are the address for control."""
        if not url.startswith(b"/") and method != b"OPTIONS":
            url = origin_form(url)
        path, mark, query = url.partition(b"?")
        prefix = b""
        if path == _PREFIX or path.startswith(_PREFIX + b"/"):
            prefix, path = _PREFIX, path[len(_PREFIX) :] or b"/"
        plain = unquote_to_bytes(path)
        door = self._doors.get(prefix + plain)
        if door is not None:
            return door
        match = _INVOCATIONS.fullmatch(plain)
        if match is not None:
            return self._door(match[1].decode("utf-8", "replace"), match[2])
        return path + mark + query

    def _door(self, endpoint_name: str, ending: bytes | None) -> Door:
        return Door(
            self._fleet.endpoint(endpoint_name),
            self._streams if ending else self._plain,
            events=bool(ending),
        )

    def _route(self, path: str, address: str, route: link.RouteView) -> Door:
        calls = self._calls.of(route.project or linkcalls.PARKADE, path)
        door = Door(self._fleet.endpoint(route.endpoint), calls, public=route.public)
        door.rate = self._rates.get(path)
        door.patience = None if route.seconds is None else self._fleet.patiences[route.seconds]
        door.sticky = sticking(route, address, secure=self._secure)
        return door

    def _rate(self, path: str, per_second: float, burst: int) -> Rate:
        rate = self._rates.get(path) or Rate(path, Bucket(per_second, burst))
        rate.bucket.resize(per_second, burst)
        return rate
