"""One AWS account and region: its clients, made once and shared by threads.

Every client is pooled, bounded in time and adaptive: botocore slows down by itself where AWS
throttles, and what is still refused then is raised as `Throttled`, apart from what fails.
`AWS_ENDPOINT_URL_<SERVICE>` leads a client elsewhere, as botocore has it.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.utils import parse_timestamp

from parkade.adapters.aws.refusals import calling
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Calls that may be under way at once through one client: the sweep's threads, with some to spare.
POOL = 32
#: Seconds. Control planes answer within a second or two; a sweep must not hang for one of them.
_CONNECT, _READ = 5, 20
#: Attempts in all; adaptive mode waits longer between them the more AWS throttles.
_ATTEMPTS = 5
#: Where the region is looked for: botocore by itself knows the second variable alone, and AWS's other
#: tools take the first before it.
_REGION = ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None)


class Account:
    """Makes clients. Safe to use from several threads; botocore's clients are as well."""

    def __init__(
        self,
        *,
        region: str | None = None,
        profile: str | None = None,
        session: botocore.session.Session | None = None,
    ) -> None:
        """Take the credentials that botocore finds, of the profile where one is named.

        Raises Unauthenticated where there is no such profile, and InvalidInput where neither the
        arguments nor the environment nor the profile name a region.
        """
        self._session = session or botocore.session.Session(profile=profile)
        self._session.session_var_map["region"] = _REGION
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, float | None], Any] = {}
        self._number: str | None = None
        with calling("AWS's settings cannot be followed"):
            found = region or self._session.get_config_variable("region")
        if not found:
            raise InvalidInput(
                "it is not said which AWS region is meant",
                field="region",
                hint="set AWS_REGION, or give --region; a project file says it by `region`",
            )
        self.region: str = found
        # Instants come in UTC, whatever the zone of this machine is.
        parsers = self._session.get_component("response_parser_factory")
        parsers.set_parser_defaults(timestamp_parser=_instant)

    def client(self, service: str, *, within: float | None = None) -> Any:
        """Return the client of a service, by botocore's name of it.

        With `within` it asks once, and waits so many seconds for the answer: for what must not be
        asked twice. Raises InvalidInput where AWS_ENDPOINT_URL leads nowhere, and what botocore raises.
        """
        key = (service, within)
        with self._lock:
            if key not in self._clients:
                config = _config() if within is None else _once(within)
                self._clients[key] = self._made(service, config)
            return self._clients[key]

    def _made(self, service: str, config: Config) -> Any:
        try:
            return self._session.create_client(service, region_name=self.region, config=config)
        except BotoCoreError:
            raise  # some are ValueErrors as well
        except ValueError as error:
            raise InvalidInput(
                f"{service} cannot be asked: {error}",
                field="AWS_ENDPOINT_URL",
                hint="write AWS_ENDPOINT_URL, or endpoint_url of the profile, as http://HOST:PORT",
            ) from error

    def number(self) -> str:
        """Return the account's number, of 12 digits, asked for once. Raises what `calling` raises."""
        if self._number is None:
            with calling("the caller's identity cannot be asked for"):
                self._number = str(self.client("sts").get_caller_identity()["Account"])
        return self._number

    def pages(self, service: str, operation: str, **request: Any) -> Iterator[dict[str, Any]]:
        """Give the pages of a paged operation, by botocore's name of its method."""
        yield from self.client(service).get_paginator(operation).paginate(**request)


def _instant(value: Any) -> datetime:
    instant: datetime = parse_timestamp(value)
    return instant.astimezone(UTC)


def _config() -> Config:
    return Config(
        connect_timeout=_CONNECT,
        read_timeout=_READ,
        max_pool_connections=POOL,
        retries={"mode": "adaptive", "total_max_attempts": _ATTEMPTS},
        user_agent_extra="parkade",
    )


def _once(seconds: float) -> Config:
    return Config(
        connect_timeout=_CONNECT,
        read_timeout=seconds,
        max_pool_connections=POOL,
        retries={"mode": "standard", "total_max_attempts": 1},
        user_agent_extra="parkade",
    )
