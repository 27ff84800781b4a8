"""The meter: what people do with leases.

Each change is one compare-and-set write with its event; where another write came first it is
read and decided again, so that no minute is lost. Nothing here starts an endpoint: the sweep
that `changed` asks for does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from parkade.domain import lease as leases
from parkade.domain import names
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    Conflict,
    EndpointBusy,
    InvalidInput,
    LeaseNotFound,
)
from parkade.domain.event import Event, in_minutes, written
from parkade.domain.lease import EndReason, Lease, LeaseRules
from parkade.domain.plan import plan
from parkade.domain.spans import duration
from parkade.services import keys
from parkade.services import leasechanges as changes
from parkade.services.acting import carry_out
from parkade.services.contention import contended
from parkade.services.rehearsal import RehearsedBook

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from parkade.ports.budgets import Purse
    from parkade.ports.clock import Clock
    from parkade.ports.hosting import Hosting
    from parkade.ports.leases import Coin, LeaseBook, Shelf

#: Asked before time is granted: takes the lease as it would be, as it is, and the instant. Returns
#: the purse that pays, None where nothing limits it; raises BudgetExceeded.
Admit: TypeAlias = "Callable[[Lease, Lease | None, datetime], Purse | None]"
#: What a change decides: the lease to store, with its event; None: nothing is to be changed.
Decision: TypeAlias = "tuple[Lease, Event] | None"


def free(
    lease: Lease,  # noqa: ARG001
    held: Lease | None,  # noqa: ARG001
    now: datetime,  # noqa: ARG001
) -> Purse | None:
    """Let everybody have any time."""
    return None


class Meter:
    """Adds, extends, starts, stops and removes leases. `changed` is called after every write."""

    def __init__(
        self,
        *,
        book: LeaseBook,
        hosting: Hosting,
        clock: Clock,
        rules: Callable[[], LeaseRules],
        changed: Callable[[], None],
        admit: Admit = free,
        leaving: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take the ports; `leaving` is called with the name of a lease before it is removed."""
        self._admit = admit
        self._leaving = leaving
        self._book = book
        self._hosting = hosting
        self._clock = clock
        self._rules = rules
        self._changed = changed
        #: The endpoint config that is taken to be there, in a rehearsal.
        self._made = ""

    def rehearsal(self, *, made: str = "", admit: Admit | None = None) -> Meter:
        """Return a meter that decides as this one does, refusals included, and stores nothing.

        An endpoint config of the name `made` is as good as there; with `admit` that is asked.
        """
        rehearsed = Meter(
            book=RehearsedBook(self._book),
            hosting=self._hosting,
            clock=self._clock,
            rules=self._rules,
            changed=lambda: None,
            admit=admit or self._admit,
        )
        rehearsed._made = made
        return rehearsed

    def get(self, endpoint_name: str) -> Lease:
        """Return the lease. Raises LeaseNotFound or Unreadable."""
        return self._book.get(endpoint_name)

    def all(self) -> Shelf:
        """Return every lease, and why others cannot be read."""
        return self._book.all()

    def add(
        self,
        endpoint_name: str,
        config_name: str,
        *,
        amount: timedelta | datetime | None,
        owner: str,
        actor: str,
        key: str | None = None,
    ) -> Lease:
        """Make a lease, for so long or until then. Raises AlreadyExists and ConfigNotFound."""
        coin = keys.coin(
            endpoint_name, actor, key, f"add {config_name} {keys.asked(amount)} {owner}"
        )

        def decide(held: Lease | None, now: datetime) -> Decision:
            if held is not None:
                raise AlreadyExists(
                    f"{endpoint_name!r} has a lease already",
                    hint=f"extend it: parkade extend {endpoint_name} --minutes 30",
                )
            return self._added(endpoint_name, config_name, amount, owner, actor, now)

        return self._change(endpoint_name, decide, coin)

    def extend(
        self,
        endpoint_name: str,
        amount: timedelta,
        *,
        actor: str,
        key: str | None = None,
        made_at: datetime | None = None,
    ) -> Lease:
        """Add time: to the expiry, or to now where the lease is over. Raises LeaseNotFound.

        With `made_at` only the lease that was made then is meant, and no later one of its name.
        """
        coin = None if key is None else keys.extension_coin(endpoint_name, actor, key, amount)

        def decide(held: Lease | None, now: datetime) -> Decision:
            meant = held is None or made_at in {None, held.created_at}
            lease = _known(held if meant else None, endpoint_name)
            return self._extended(lease, amount, actor, now)

        return self._change(endpoint_name, decide, coin)

    def buy(
        self,
        endpoint_name: str,
        *,
        config_name: str | None,
        amount: timedelta | None,
        owner: str,
        actor: str,
        key: str | None = None,
    ) -> Lease:
        """Extend the lease; where there is none and a config is named, make it.

        Raises LeaseNotFound where there is none and no config is named, and Conflict where the
        lease is for another config.
        """
        request = f"buy {config_name or '-'} {keys.asked(amount)} {owner}"
        coin = keys.coin(endpoint_name, actor, key, request)

        def decide(held: Lease | None, now: datetime) -> Decision:
            if held is None and config_name is not None:
                return self._added(endpoint_name, config_name, amount, owner, actor, now)
            lease = _known(held, endpoint_name)
            if config_name not in (None, lease.config_name):
                raise Conflict(
                    f"{endpoint_name!r} runs {lease.config_name!r}, not {config_name!r}",
                    hint="leave the config out to extend it; to change it: parkade remove "
                    f"{endpoint_name}, then parkade add {endpoint_name} --config {config_name}",
                )
            if amount is None:
                raise InvalidInput(
                    "minutes is missing", field="minutes", hint="give minutes as a number > 0"
                )
            return self._extended(lease, amount, actor, now)

        return self._change(endpoint_name, decide, coin)

    def let(
        self,
        endpoint_name: str,
        config_name: str,
        *,
        amount: timedelta | None,
        owner: str,
        actor: str,
        key: str,
        revives: bool = True,
    ) -> Lease:
        """Have the endpoint leased, and started from this config: for who deploys it.

        Makes the lease where there is none, and gives one that is over new time; one that runs is
        given the amount, if one is named. Earlier failures to start it count no more. Raises
        ConfigNotFound, and Conflict for one that is over where that is not to be revived.
        """
        coin = keys.let_coin(endpoint_name, actor, key, config_name, amount)

        def decide(held: Lease | None, now: datetime) -> Decision:
            if held is None:
                return self._added(endpoint_name, config_name, amount, owner, actor, now)
            if not revives and held.over(now):
                raise Conflict(
                    f"the lease of {endpoint_name!r} is over ({held.reason_over()}), and is not to "
                    "be given new time",
                    hint=f"start it first: parkade start {endpoint_name}",
                )
            self._require_config(config_name)
            lease, event = changes.reconfigured(leases.recovered(held), config_name, actor, now)
            if amount is not None or held.over(now):
                paid = self._rules().initial if amount is None else amount
                verb = "started" if held.over(now) else "extended"
                lease, told = self._extended(lease, paid, actor, now, verb)
                event = replace(told, data={**event.data, **told.data})
            return None if lease == held else (lease, event)

        return self._change(endpoint_name, decide, coin)

    def reconfigure(self, endpoint_name: str, config_name: str, *, actor: str) -> Lease:
        """Have the lease name another config, which its next start is from. Raises LeaseNotFound."""

        def decide(held: Lease | None, now: datetime) -> Decision:
            lease = _known(held, endpoint_name)
            if lease.config_name == config_name:
                return None
            return changes.reconfigured(lease, config_name, actor, now)

        return self._change(endpoint_name, decide)

    def start(self, endpoint_name: str, *, amount: timedelta | None, actor: str) -> Lease:
        """Give a lease that is over new time. Raises Conflict where it still runs."""

        def decide(held: Lease | None, now: datetime) -> Decision:
            lease = _known(held, endpoint_name)
            _require_over(lease, now)
            paid = self._rules().initial if amount is None else amount
            return self._extended(lease, paid, actor, now, "started")

        return self._change(endpoint_name, decide)

    def restore(
        self, endpoint_name: str, amount: timedelta, *, config_name: str, owner: str, actor: str
    ) -> Lease:
        """Give back the time that a lease had when it was ended; one that is gone is made again.

        Raises Conflict where it still runs, and ConfigNotFound.
        """
        given = min(amount, self._rules().max_ahead)

        def decide(held: Lease | None, now: datetime) -> Decision:
            if held is None:
                lease, event = self._added(endpoint_name, config_name, given, owner, actor, now)
                return lease, replace(event, kind="lease.restored", reason=f"given back to {owner}")
            _require_over(held, now)
            return self._extended(held, given, actor, now, "restored")

        return self._change(endpoint_name, decide)

    def stop(self, endpoint_name: str, *, actor: str) -> Lease:
        """End the lease early; one that is over is returned unchanged. Raises LeaseNotFound."""

        def decide(held: Lease | None, now: datetime) -> Decision:
            lease = _known(held, endpoint_name)
            if lease.over(now):
                return None
            given_up = lease.time_left(now)
            event = Event(
                at=now,
                kind="lease.ended",
                actor=actor,
                reason=f"stopped; {duration(given_up)} given up",
                endpoint_name=endpoint_name,
                data={
                    "ended": EndReason.STOPPED,
                    "minutes_given_up": in_minutes(given_up),
                    "expires_before": written(lease.expiry(now)),
                    "expires_at": written(now),
                },
            )
            return leases.end(lease, EndReason.STOPPED, now), event

        return self._change(endpoint_name, decide)

    @contended
    def remove(self, endpoint_name: str, *, actor: str) -> None:
        """End the lease, delete the endpoint as the plan has it, then remove the row.

        Raises EndpointBusy while the endpoint cannot be deleted; the lease stays, ended, so that
        the sweep stops the endpoint in time, and removing can be repeated. Raises LeaseNotFound.
        """
        lease = self.stop(endpoint_name, actor=actor)
        seen = self._hosting.endpoints().get(endpoint_name)
        if seen and not seen.stoppable and seen.status is not EndpointStatus.DELETING:
            raise EndpointBusy(
                f"{endpoint_name!r} is {seen.status} and cannot be deleted now; its lease is over, "
                "and it stops as soon as it can",
                hint=f"repeat it then: parkade remove {endpoint_name}",
            )
        now = self._clock.now()
        decided = plan(now, (lease,), {endpoint_name: seen} if seen else {}, self._rules())
        for action in decided.acts:
            carry_out(action, self._hosting)
        event = Event(
            at=now,
            kind="lease.removed",
            actor=actor,
            reason="removed with its endpoint",
            endpoint_name=endpoint_name,
            data={
                "config_name": lease.config_name,
                "owner": lease.owner,
                "ended": lease.reason_over(),
            },
        )
        self._leaving(endpoint_name)
        self._book.remove(lease, event)
        self._changed()

    @contended
    def _change(
        self,
        endpoint_name: str,
        decide: Callable[[Lease | None, datetime], Decision],
        coin: Coin | None = None,
    ) -> Lease:
        """Read, decide, store: from the start again where another write came first."""
        held = self._held(endpoint_name)
        # The coin is looked for after the lease was read: a coin spent later than that has
        # changed the lease, and the write below is refused.
        if coin is not None and (paid := self._book.spent(coin)) is not None:
            return paid
        now = self._clock.now()
        decision = decide(held, now)
        if decision is None:
            return _known(held, endpoint_name)
        lease, event = decision
        purse = self._admit(lease, held, now)
        stored = self._book.put(lease, event, coin=coin, purse=purse)
        self._changed()
        return stored

    def _held(self, endpoint_name: str) -> Lease | None:
        try:
            return self._book.get(endpoint_name)
        except LeaseNotFound:
            return None

    def _added(
        self,
        endpoint_name: str,
        config_name: str,
        amount: timedelta | datetime | None,
        owner: str,
        actor: str,
        now: datetime,
    ) -> tuple[Lease, Event]:
        names.endpoint_name(config_name, field="EndpointConfigName")
        self._require_config(config_name)
        rules = self._rules()
        paid = rules.initial if amount is None else amount
        return changes.added(endpoint_name, config_name, paid, owner, actor, now, rules)

    def _require_config(self, name: str) -> None:
        if name != self._made:
            self._hosting.require_config(name)

    def _extended(
        self, lease: Lease, amount: timedelta, actor: str, now: datetime, verb: str = "extended"
    ) -> tuple[Lease, Event]:
        return changes.extended(lease, amount, actor, now, self._rules(), verb)


def _require_over(lease: Lease, now: datetime) -> None:
    if not lease.over(now):
        raise Conflict(
            f"the lease of {lease.endpoint_name!r} still runs for {duration(lease.time_left(now))}",
            hint=f"add time to it: parkade extend {lease.endpoint_name} --minutes 30",
        )


def _known(held: Lease | None, endpoint_name: str) -> Lease:
    if held is None:
        raise LeaseNotFound(
            f"there is no lease for {endpoint_name!r}",
            hint=f"make one: parkade add {endpoint_name} --config CONFIG --minutes 30",
        )
    return held
