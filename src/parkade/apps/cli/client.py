"""The CLI's way to a server: HTTP over its public port, errors in the CLI's own words.

Whatever goes wrong on the way arrives as a ParkadeError whose message and hint make one line
that says what to do.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from parkade.domain.errors import ParkadeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from parkade.apps.settings import ClientSettings

#: This machine's own addresses. A proxy of the environment is not asked for them.
_HERE = ("127.0.0.1", "localhost", "[::1]")
_DIRECT = tuple(f"all://{each}" for each in _HERE)
#: What nobody shows a certificate at. Reading those that are trusted takes 30 ms of every command.
_PLAIN = tuple(f"http://{each}:" for each in _HERE)
#: Seconds. Nothing that is managed takes as long.
_TIMEOUT = httpx.Timeout(90.0, connect=5.0)
#: What is sent or received for as long as it takes.
_ENDLESS = httpx.Timeout(None, connect=5.0)
_PAGE = 100


class Unreachable(ParkadeError):
    """No server answers."""


class Refused(ParkadeError):
    """The server answered with an error; `status` is HTTP's, `code` the API's word for it."""

    def __init__(self, message: str, *, status: int, code: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code

    @property
    def passing(self) -> bool:
        """Tell whether the server, rather than what was asked of it, is the trouble."""
        return self.status in (502, 503, 504)


class Client:
    """One server's `/v1`, and its invocations. Paths are given in parts and quoted here."""

    def __init__(
        self,
        settings: ClientSettings,
        *,
        timeout: httpx.Timeout = _TIMEOUT,
        socket: Path | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Talk to `settings.url`; over that unix socket, or that transport, where one is given."""
        self.url = settings.url.rstrip("/")
        if socket is not None:
            transport = httpx.HTTPTransport(uds=str(socket), verify=False)
        elif transport is None and self.url.startswith(_PLAIN):
            transport = httpx.HTTPTransport(verify=False)
        headers = {"Authorization": f"Bearer {settings.token}"} if settings.token else {}
        try:
            self._http = httpx.Client(
                base_url=self.url,
                headers=headers,
                timeout=timeout,
                transport=transport,
                mounts=None if transport else dict.fromkeys(_DIRECT),
            )
        except (httpx.InvalidURL, ValueError, UnicodeEncodeError) as error:
            raise ParkadeError(
                f"PARKADE_URL or PARKADE_TOKEN is not usable ({error})",
                hint="PARKADE_URL is like http://127.0.0.1:8700; try: unset PARKADE_URL PARKADE_TOKEN",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, *parts: str, **parameters: Any) -> Any:
        """GET `/v1/<parts>` and return the decoded answer."""
        return self._decoded("GET", parts, params=_given(parameters))

    def post(self, *parts: str, body: Any = None, key: str = "", **parameters: Any) -> Any:
        """POST `body` as JSON; `key` is an Idempotency-Key."""
        return self._decoded("POST", parts, json=body, headers=_key(key), params=_given(parameters))

    def put(self, *parts: str, body: Any = None, key: str = "", **parameters: Any) -> Any:
        """PUT `body` as JSON; `key` is an Idempotency-Key."""
        return self._decoded("PUT", parts, json=body, headers=_key(key), params=_given(parameters))

    def delete(self, *parts: str, request_key: str = "", **parameters: Any) -> Any:
        """DELETE `/v1/<parts>`, and return the decoded answer; `request_key` is an Idempotency-Key."""
        return self._decoded("DELETE", parts, headers=_key(request_key), params=_given(parameters))

    def pages(self, noun: str, **parameters: Any) -> list[Any]:
        """Return the whole list of a noun, following its pages."""
        found: list[Any] = []
        after: str | None = None
        while True:
            page = self.get(noun, **parameters, after=after, limit=_PAGE)
            found += page[noun]
            after = page.get("next")
            if not after:
                return found

    def upload(
        self,
        bucket: str,
        key: str,
        pieces: Iterator[bytes],
        size: int | None,
        *,
        content_type: str = "application/gzip",
        sha256: str = "",
    ) -> Any:
        """PUT an object of `size` bytes, sent piece by piece; None: its end says its size.

        With `sha256`, what arrives otherwise is not stored.
        """
        length = {} if size is None else {"Content-Length": str(size)}
        digest = {"X-Parkade-SHA256": sha256} if sha256 else {}
        return self._decoded(
            "PUT",
            ("objects", bucket, *key.split("/")),
            content=pieces,
            headers={**length, **digest, "Content-Type": content_type},
            timeout=_ENDLESS,
        )

    def exists(self, bucket: str, key: str) -> bool:
        """Tell whether there is an object, without reading it."""
        with self._told():
            answer = self._http.head(_path(("objects", bucket, *key.split("/"))))
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return False
        if not answer.is_success:
            raise _refusal(answer)
        return True

    @contextmanager
    def download(self, bucket: str, key: str) -> Iterator[httpx.Response]:
        """GET an object; its bytes are read from the answer, as they come."""
        with self._opened(_path(("objects", bucket, *key.split("/")))) as answer:
            yield answer

    def invoke(self, endpoint_name: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """Invoke the endpoint; its answer, errors raised as Refused."""
        answer = self.ask(endpoint_name, body, headers)
        if not answer.is_success:
            raise _refusal(answer)
        return answer

    def ask(self, endpoint_name: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """Invoke the endpoint; its answer, whatever it says. May be called by several threads."""
        path = f"/endpoints/{quote(endpoint_name, safe='')}/invocations"
        with self._told():
            # How long it is held, and how long its model may take, the server knows.
            return self._http.post(path, content=body, headers=dict(headers), timeout=_ENDLESS)

    @contextmanager
    def lines(self, *parts: str, headers: Mapping[str, str], **parameters: Any) -> Iterator[Any]:
        """Open a streamed answer and give its lines as they come, for as long as it lasts."""
        with self._opened(_path(parts), params=_given(parameters), headers=dict(headers)) as answer:
            yield answer.iter_lines()

    @contextmanager
    def _opened(self, path: str, **options: Any) -> Iterator[httpx.Response]:
        with (
            self._told(),
            self._http.stream("GET", path, timeout=_ENDLESS, **options) as answer,
        ):
            if not answer.is_success:
                answer.read()
                raise _refusal(answer)
            yield answer

    def _decoded(self, method: str, parts: tuple[str, ...], **options: Any) -> Any:
        with self._told():
            answer = self._http.request(method, _path(parts), **options)
        if not answer.is_success:
            raise _refusal(answer)
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError as error:
            raise ParkadeError(
                f"{self.url} answers, but not like Parkade",
                hint="check PARKADE_URL, or start a server with: parkade up",
            ) from error

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Translate what the transport raises."""
        try:
            yield
        except httpx.TimeoutException as error:
            raise Unreachable(
                f"the server at {self.url} took too long to answer", hint="try again"
            ) from error
        except httpx.UnsupportedProtocol as error:
            raise Unreachable(
                f"PARKADE_URL {self.url!r} is not an http:// or https:// URL",
                hint="set it like http://127.0.0.1:8700",
            ) from error
        except httpx.ConnectError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise ParkadeError(
                    f"the certificate of {self.url} is not trusted",
                    hint="name the certificate it was signed with: export SSL_CERT_FILE=cert.pem",
                ) from error
            raise Unreachable(
                f"no Parkade server answers at {self.url}", hint="start one with: parkade up"
            ) from error
        except httpx.TransportError as error:
            raise Unreachable(
                f"the server at {self.url} broke off the connection", hint="try again"
            ) from error


def _path(parts: tuple[str, ...]) -> str:
    return "/".join(("/v1", *(quote(part, safe="") for part in parts)))


def _given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _key(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key} if key else {}


def _refusal(answer: httpx.Response) -> Refused:
    """Read an error: the API's shape, or SageMaker's as invocations give it."""
    if answer.status_code == 401:
        return Refused(
            f"the server at {answer.url.copy_with(raw_path=b'')} does not take this token",
            status=401,
            code="unauthenticated",
            hint="set PARKADE_TOKEN to one of its tokens, or PARKADE_STATE to its state folder",
        )
    try:
        body = answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        body = {}
    told = body.get("error")
    if isinstance(told, dict):
        return Refused(
            str(told.get("message", "")),
            status=answer.status_code,
            code=str(told.get("code", "")),
            hint=str(told.get("hint") or ""),
        )
    return _of_invocation(answer, body)


def _of_invocation(answer: httpx.Response, body: Mapping[str, Any]) -> Refused:
    kind = answer.headers.get("x-amzn-errortype", "").partition(":")[0]
    text = str(body.get("Message") or answer.text.strip()[:500] or answer.reason_phrase)
    if kind == "ValidationError" and text.startswith("Endpoint "):
        return Refused(text, status=answer.status_code, code="endpoint_not_found")
    if "reason" in body:
        # It does not run; the reason and what to do say it all.
        hint = str(body.get("hint", ""))
        return Refused(text, status=answer.status_code, code=kind, hint=hint)
    return Refused(
        f"{kind or f'HTTP {answer.status_code}'}: {text}", status=answer.status_code, code=kind
    )
