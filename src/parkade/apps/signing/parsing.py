"""Reads the signature of a request: from its Authorization header, or from its query.

An address with a signature in its query ("presigned") is good for whoever has it, for a time
that it names.
"""

from __future__ import annotations

import re
from calendar import timegm
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from time import strftime
from typing import TYPE_CHECKING

from parkade.apps.signing.refusals import SERVICES, Reason, Refused, Service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.apps.signing.canonical import Pairs, Request

ALGORITHM = b"AWS4-HMAC-SHA256"
#: Seconds for which a presigned address may be good at most: a week, as at AWS.
LONGEST = 604_800
#: Parameters by which a query is known to be presigned.
PRESIGNED = b"X-Amz-Algorithm"
_SIGNATURE = b"X-Amz-Signature"

#: Longest part of a credential; derived keys are remembered by them.
_PART = 128
_STAMP = re.compile(r"\d{8}T\d{6}Z")
_HEX = re.compile(r"[0-9a-f]{64}")
_NAMES = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z:-]+")
_WHERE = {
    Reason.INCOMPLETE: "the Authorization header has no ",
    Reason.INCOMPLETE_QUERY: "the address has no X-Amz-",
}
_HINT = "sign with signature version 4, as AWS SDKs and the AWS CLI do by themselves"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a request says of its signature; nothing of it is verified."""

    key_id: str
    #: Day, region, service, `aws4_request`, with slashes between.
    scope: str
    date: str
    region: str
    service: Service
    #: When it was signed: as it is written, and in seconds of the epoch.
    stamp: str
    at: int
    #: For how many seconds a presigned address is good; None: it is none.
    expires: int | None
    signed_headers: tuple[bytes, ...]
    #: The parameters that are signed.
    query: Pairs
    value: str

    @property
    def by_query(self) -> bool:
        """Whether it stands in the query: the address is presigned."""
        return self.expires is not None


def presigned(request: Request) -> bool:
    """Tell whether the query holds a signature."""
    return b"?" in request.target and any(name == PRESIGNED for name, _ in request.query())


def from_header(request: Request) -> Signature:
    """Read the Authorization header. Raises Refused."""
    credential = request.header(b"authorization") or b""
    algorithm, _, rest = credential.partition(b" ")
    if algorithm != ALGORITHM:
        raise _unusable(
            Reason.INCOMPLETE, f"{_shown(algorithm)} is not a way to sign that is known here"
        )
    fields: dict[str, bytes] = {}
    for item in rest.split(b","):
        name, _, value = item.strip().partition(b"=")
        if name in {b"Credential", b"SignedHeaders", b"Signature"}:
            fields[name.decode()] = value
    return _signature(
        fields,
        reason=Reason.INCOMPLETE,
        stamp=_stamp(request),
        expires=None,
        query=request.query(),
    )


def from_query(request: Request) -> Signature:
    """Read a presigned address. Raises Refused."""
    pairs = request.query()
    given = {name: value for name, value in pairs if name.startswith(b"X-Amz-")}
    if given.get(PRESIGNED) != ALGORITHM:
        raise _unusable(
            Reason.INCOMPLETE_QUERY,
            f"X-Amz-Algorithm {_shown(given.get(PRESIGNED, b''))} is not known here",
        )
    text = given.get(b"X-Amz-Expires", b"")
    if not (text.isdigit() and len(text) < 10 and int(text) <= LONGEST):
        raise _unusable(
            Reason.INCOMPLETE_QUERY, f"X-Amz-Expires must be a number of seconds, at most {LONGEST}"
        )
    return _signature(
        {name[6:].decode("latin-1"): value for name, value in given.items()},
        reason=Reason.INCOMPLETE_QUERY,
        stamp=given.get(b"X-Amz-Date", b"").decode("latin-1"),
        expires=int(text),
        query=[pair for pair in pairs if pair[0] != _SIGNATURE],
    )


def key_id(credential: bytes) -> str:
    """Return the key id that an Authorization header names, unverified; empty: none."""
    _, found, rest = credential.partition(b"Credential=")
    return rest.partition(b"/")[0].decode("latin-1") if found else ""


def no(field: str, reason: Reason = Reason.INCOMPLETE) -> Refused:
    """Return the refusal of an Authorization header, or a query, without this field."""
    return _unusable(reason, _WHERE[reason] + field)


def _signature(
    fields: Mapping[str, bytes],
    *,
    reason: Reason,
    stamp: str,
    expires: int | None,
    query: Pairs,
) -> Signature:
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not fields.get(name):
            raise no(name, reason)
    parts = fields["Credential"].decode("latin-1").split("/")
    if (
        len(parts) != 5
        or parts[4] != "aws4_request"
        or not all(0 < len(part) <= _PART for part in parts)
    ):
        raise _unusable(
            reason, "the Credential is not of the form KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request"
        )
    service = next((each for each in SERVICES if each == parts[3]), None)
    if service is None:
        raise Refused(
            Reason.MISMATCH,
            f"Credential should be scoped to correct service: {parts[3][:40]!r} is not spoken here, "
            f"only {', '.join(SERVICES)}.",
            hint="point only the clients of these services at Parkade, by AWS_ENDPOINT_URL_<SERVICE>",
        )
    names = tuple(fields["SignedHeaders"].split(b";"))
    value = fields["Signature"].decode("latin-1")
    if not all(map(_NAMES.fullmatch, names)) or not _HEX.fullmatch(value):
        raise _unusable(
            reason,
            "SignedHeaders must be names in lower case with semicolons between them, and Signature 64 "
            "digits in lower-case hex",
        )
    return Signature(
        key_id=parts[0],
        scope="/".join(parts[1:]),
        date=parts[1],
        region=parts[2],
        service=service,
        stamp=stamp,
        at=_instant(stamp, reason),
        expires=expires,
        signed_headers=names,
        query=query,
        value=value,
    )


def _stamp(request: Request) -> str:
    """Return the time of signing: of X-Amz-Date, else of Date, in either's form."""
    own = request.header(b"x-amz-date")
    if own is not None:
        return own.decode("latin-1")
    date = (request.header(b"date") or b"").decode("latin-1")
    if _STAMP.fullmatch(date):
        return date
    try:
        moment = parsedate_to_datetime(date)
    except ValueError as error:
        raise _unusable(Reason.INCOMPLETE, "the request has no X-Amz-Date header") from error
    return strftime("%Y%m%dT%H%M%SZ", moment.utctimetuple())


def _instant(stamp: str, reason: Reason) -> int:
    try:
        if _STAMP.fullmatch(stamp):
            return timegm(datetime.strptime(stamp, "%Y%m%dT%H%M%S%z").utctimetuple())
    except ValueError as error:
        raise _unusable(reason, f"X-Amz-Date {stamp} is not a time") from error
    raise _unusable(reason, "X-Amz-Date must have the form YYYYMMDDTHHMMSSZ")


def _unusable(reason: Reason, what: str) -> Refused:
    return Refused(reason, f"{what[:1].upper()}{what[1:]}.", hint=_HINT)


def _shown(text: bytes) -> str:
    return repr(text[:40].decode("latin-1"))
