"""How the endpoints of a project stand, for people: in one word, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.spans import duration
from parkade.domain.standing import State, standing
from parkade.services.projects.keeper import Condition

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from parkade.domain.lease import Lease
    from parkade.domain.standing import Expected, Refusal
    from parkade.services.deployer import Deployer
    from parkade.services.projects.endpointlook import Seen


class Conditions:
    """Tells how endpoints stand."""

    def __init__(
        self,
        deployer: Deployer,
        *,
        expected: Expected,
        refusal: Refusal,
        now: Callable[[], datetime],
    ) -> None:
        """Take what it asks: how long starts take, and why a request would not wake what is over."""
        self._deployer = deployer
        self._expected = expected
        self._refusal = refusal
        self._now = now

    def of(self, name: str, seen: Seen | None) -> Condition:
        """Return how the endpoint stands; without anything to see, it is missing."""
        for deployment in self._deployer.all(name).records:
            if not deployment.over:
                step = deployment.step
                doing = ": ".join(filter(None, (step.kind, step.text))) if step else ""
                return Condition(state="deploying", text=doing)
        if seen is None:
            return Condition(state="missing", text="it is not there any more", troubled=True)
        if not seen.stand.deployed:
            config_name = seen.stand.config.name if seen.stand.config else "CONFIG"
            start = f"it is started with: parkade add {name} --config {config_name}"
            return Condition(state="ready", text=start)
        return self._standing(seen)

    def _standing(self, seen: Seen) -> Condition:
        now, lease = self._now(), seen.lease
        observed = seen.present.observed if seen.present else None
        stands = standing(
            lease,
            observed,
            now,
            expected=self._expected,
            terms=seen.stand.terms,
            refusal=self._refusal,
        )
        if stands is None:
            return Condition(state="missing", text="it is not there any more", troubled=True)
        reason = "" if stands.reason == stands.state else stands.reason
        said = [reason, stands.hint]
        if stands.state is State.RUNNING and observed is not None:
            said.append(f"{observed.healthy} of {observed.wanted} instances answer")
            said.append(_left(lease, now))
        return Condition(
            state=stands.state,
            text="; ".join(filter(None, said)),
            troubled=stands.state in {State.FAILED, State.BUDGET},
        )


def _left(lease: Lease | None, now: datetime) -> str:
    return f"paid for {duration(lease.time_left(now))} more" if lease is not None else ""
