"""Requests as real AWS clients send them, caught before they leave; and who may have sent them."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from parkade.adapters.memory.clock import ManualClock
from parkade.adapters.memory.events import MemoryHistory
from parkade.adapters.memory.tokens import MemoryTokenStore
from parkade.adapters.system.clock import SystemClock
from parkade.apps.signing import callers
from parkade.apps.signing.keys import access_key
from parkade.domain.token import Role
from parkade.services.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "http://127.0.0.1:8700"
DOORS = {"sagemaker": "", "sagemaker-runtime": "", "s3": "/s3", "sts": "/sts"}
#: The secrets of the tokens, by their names.
SECRETS = {"admin": "admin-pass-code-16", "ann": "pass-code-of-ann"}


@dataclass(frozen=True)
class Sent:
    """A request on its way."""

    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""

    def with_header(self, name: str, value: str | None) -> Sent:
        """Return it with a header changed, added, or (None) taken out."""
        kept = tuple(each for each in self.headers if each[0].lower() != name.lower().encode())
        added = () if value is None else ((name.encode(), value.encode()),)
        return replace(self, headers=kept + added)

    def header(self, name: str) -> str:
        return next(v.decode() for n, v in self.headers if n.lower() == name.lower().encode())


class Caught(Exception):
    """A request was caught."""


class Gatehouse:
    """The services that a caller is looked up in, in memory; time stands still, or is real."""

    def __init__(self, *, auth: bool = True, real: bool = False) -> None:
        self.clock: Any = SystemClock() if real else ManualClock(datetime.now(UTC))
        self.tokens = Tokens(
            MemoryTokenStore(MemoryHistory()), clock=self.clock, key=lambda: b"key"
        )
        self.services: Any = SimpleNamespace(
            auth=auth,
            caller=None,
            settings=SimpleNamespace(auth=auth),
            server_key=b"server key",
            tokens=self.tokens,
            wall=self.clock,
        )
        for name, secret in SECRETS.items():
            self.tokens.create(
                name,
                role=Role.ADMIN if name == "admin" else Role.INVOKER,
                endpoints=["text"] if name == "ann" else [],
                lifetime=None,
                actor="test",
                secret=secret,
            )

    def client(self, service: str, name: str = "ann", **options: Any) -> Any:
        """Return a real client that signs with a token's access key."""
        key = access_key(b"server key", self.tokens.get(name).digest)
        given = {"region_name": "us-east-1", "endpoint_url": URL + DOORS[service], **options}
        return boto3.client(
            service,
            **{"aws_access_key_id": key.id, "aws_secret_access_key": key.secret, **given},
        )

    def caller(self, sent: Sent, service: str) -> callers.Caller:
        """Return who sent it."""
        return callers.authenticate(
            self.services,
            service=service,
            method=sent.method,
            target=sent.target,
            headers=sent.headers,
            payload_hash=None if service == "s3" else hashlib.sha256(sent.body).hexdigest(),
        )


def caught(client: Any, call: Callable[[Any], object]) -> Sent:
    """Return the request that a call of the client sends."""
    found: list[Sent] = []

    def catch(request: Any, **_: Any) -> None:
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        pairs = [(name, value) for name, value in request.headers.items()]
        if not any(name.lower() == "host" for name, _ in pairs):
            pairs.append(("Host", urlsplit(request.url).netloc))
        found.append(
            Sent(
                method=request.method,
                target=target_of(request.url),
                headers=tuple((_bytes(name), _bytes(value)) for name, value in pairs),
                body=_bytes(body),
            )
        )
        raise Caught

    client.meta.events.register_first("before-send", catch)
    try:
        with suppress(Caught):
            call(client)
    finally:
        client.meta.events.unregister("before-send", catch)
    return found[0]


def presigned(client: Any, operation: str, **parameters: Any) -> Sent:
    """Return the request that somebody makes of a presigned address."""
    expires = parameters.pop("expires", 3600)
    method = "PUT" if operation in {"put_object", "upload_part"} else "GET"
    url = client.generate_presigned_url(
        operation, Params=parameters, ExpiresIn=expires, HttpMethod=method
    )
    return Sent(method, target_of(url), ((b"Host", urlsplit(url).netloc.encode()),))


def target_of(url: str) -> bytes:
    parts = urlsplit(url)
    return (parts.path + (f"?{parts.query}" if parts.query else "")).encode()


def v4(**options: Any) -> Config:
    return Config(signature_version="s3v4", **options)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
