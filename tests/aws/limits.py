"""How much may be called: a stage's rate, and rate and quota of each key's usage plan."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.aws.restapi import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from tests.aws.restapi import Method, RestApi

_PERIODS = {"DAY": timedelta(days=1), "WEEK": timedelta(weeks=1), "MONTH": timedelta(days=30)}


class _Bucket:
    """Tokens that come back at a rate, up to a burst."""

    def __init__(self, rate: float, burst: float, now: datetime) -> None:
        self._rate, self._burst = rate, burst
        self._held, self._at = burst, now

    def take(self, now: datetime) -> bool:
        passed = max(0.0, (now - self._at).total_seconds())
        self._held = min(self._burst, self._held + passed * self._rate)
        self._at = now
        if self._held < 1:
            return False
        self._held -= 1
        return True


class Limits:
    """Counts requests by stage and by key, on the tests' clock."""

    def __init__(self, api: RestApi, now: Callable[[], datetime]) -> None:
        self._api = api
        self._now = now
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}
        self._used: dict[str, tuple[datetime, int]] = {}

    def check(self, method: Method, context: Mapping[str, Any]) -> None:
        """Count a request. Raises Refused where it is one too many, or its key is none."""
        with self._lock:
            self._stage(method)
            if method.key_needed:
                self._key(context)

    def _stage(self, method: Method) -> None:
        settings = self._api.stage.properties.get("MethodSettings", ()) if self._api.stage else ()
        own = f"{method.path}"
        for each in settings:
            if each.get("ResourcePath") in {"/*", own} and "ThrottlingRateLimit" in each:
                rate, burst = each["ThrottlingRateLimit"], each["ThrottlingBurstLimit"]
                self._take(f"stage {each['ResourcePath']}", rate, burst)

    def _take(self, name: str, rate: float, burst: float) -> None:
        bucket = self._buckets.setdefault(name, _Bucket(float(rate), float(burst), self._now()))
        if not bucket.take(self._now()):
            raise Refused("THROTTLED")

    def _key(self, context: Mapping[str, Any]) -> None:
        given = context["identity"]["apiKey"]
        known = {
            each.properties.get("Value", each.ref): each.ref
            for each in self._api.assembly.resources("AWS::ApiGateway::ApiKey")
        }
        plans = [each for each in self._api.plans if given and known.get(given) in each.keys]
        if not plans:
            raise Refused("INVALID_API_KEY")
        plan = plans[0]
        if plan.rate is not None and plan.burst is not None:
            self._take(f"key {given}", plan.rate, plan.burst)
        if plan.quota is not None:
            since, used = self._used.get(str(given), (self._now(), 0))
            if self._now() - since >= _PERIODS[plan.period]:
                since, used = self._now(), 0
            if used >= plan.quota:
                raise Refused("QUOTA_EXCEEDED")
            self._used[str(given)] = (since, used + 1)
