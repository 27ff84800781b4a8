"""Takes what gateways tell, as samples for the accounts and as use for knowledge.

What is told belongs to the period in which it is told: a second after it happened, or once control is
back. A gateway's row also says when the variant was last used there, so that what a killed control
process had taken and not yet stored is missing from the counts for at most two seconds, but never
taken for silence.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from parkade.apps import link
from parkade.apps.control.monitor.measures import calls, invocations, no_use
from parkade.apps.control.monitor.quiet import Quiet
from parkade.domain.series import PARKADE, Aggregate, Series, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from parkade.apps import linkcalls
    from parkade.apps.control.monitor.accounts import Accounts
    from parkade.apps.control.monitor.knowledge import Instant, Knowledge
    from parkade.apps.control.monitor.subjects import Subject, Subjects

#: Why it is not known how something is used whose stored series have not been read yet.
UNREAD = "what was stored of it has not been read yet"

_Key = tuple[str, str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One message of a gateway; `peer` is the connection that it came over."""

    peer: str
    #: Who it is, for as long as it lives.
    gateway: str
    usage: link.UsageReport
    #: Seconds for which nobody had taken its counts; None: nobody ever had.
    silence: float | None = None
    #: Whether it ends now.
    last: bool = False
    #: What came by routes.
    calls: Sequence[linkcalls.Calls] = ()


class Collector:
    """Counts. For the control process's loop alone."""

    def __init__(self, accounts: Accounts, knowledge: Knowledge, subjects: Subjects) -> None:
        self.knowledge = knowledge
        self.subjects = subjects
        #: What is known of the use of each subject.
        self.quiet: dict[_Key, Quiet] = {}
        self._used: set[tuple[str, str]] = set()
        self._accounts = accounts
        #: How often the clock had been set when that was last heeded.
        self._jumps = 0
        #: Whether what there is may have stored points that nobody has asked for yet.
        self._young = True
        #: Requests under way, by gateway, endpoint and key.
        self._in_flight: dict[str, dict[str, dict[_Key, int]]] = defaultdict(dict)
        #: Which gateway is at the other end of a connection.
        self._peers: dict[str, str] = {}
        #: Those that said that they end.
        self._leaving: set[str] = set()

    # What is told.

    def joined(self, peer: str, gateway: str, at: Instant) -> None:
        """Know which gateway is at the other end of a connection."""
        self._peers[peer] = gateway
        self.knowledge.joined(gateway, at)

    def report(self, report: Report, at: Instant) -> None:
        """Take a gateway's message."""
        self._peers[report.peer] = report.gateway
        self.knowledge.heard(report.gateway, at, report.silence)
        if report.last:
            self._leaving.add(report.gateway)
        in_flight = self._in_flight[report.gateway]
        for endpoint_name, variants in report.usage.items():
            # An endpoint with any news is there with all its variants.
            in_flight[endpoint_name] = {
                (endpoint_name, name, used.component): used.in_flight
                for name, used in variants.items()
            }
            subjects = {each.key: each for each in self.subjects.of(endpoint_name)}
            for name, used in variants.items():
                if name == link.UNPLACED:
                    self._unplaced(endpoint_name, used, at)
                    continue
                key = (endpoint_name, name, used.component)
                if key in subjects or not subjects:  # none: hosting has not started yet
                    self._use(key, used, at)
                elif used.invocations or used.in_flight:
                    # It was updated away while it answered, and is use of the endpoint still.
                    self._touch_all(endpoint_name, at)
                self._count(endpoint_name, name, used, subjects, at.now)

        for each in report.calls:
            self._accounts.defer(partial(calls, self._accounts, each, at.now))

    def gone(self, peer: str, at: Instant) -> None:
        """Know that a connection has ended."""
        gateway = self._peers.pop(peer, None)
        if gateway is None or gateway in self._peers.values():
            return
        self._in_flight.pop(gateway, None)
        self.knowledge.left(gateway, at, last=gateway in self._leaving)
        self._leaving.discard(gateway)

    def touch(self, subject: Subject, now: datetime) -> None:
        """Know that something was used now that no gateway tells of."""
        self._quiet(subject.key, now).use(now, now)
        self._used.add((subject.endpoint_name, subject.variant_name))

    def unread(self, key: _Key, why: str) -> None:
        """Know that what is stored of something cannot be read."""
        if key in self.quiet:
            self.quiet[key].unread = why

    # What passes with time.

    def settle(self, at: Instant) -> None:
        """Know what there is now; what has gone is forgotten, and its knowledge with it."""
        self.knowledge.pass_time(at)
        if self.knowledge.jumps != self._jumps:
            self._jumps = self.knowledge.jumps
            for quiet in self.quiet.values():
                quiet.reset(at.now)
        there = {each.key for each in self._all()}
        gone, come = self.quiet.keys() - there, there - self.quiet.keys()
        former: dict[str, list[Quiet]] = defaultdict(list)
        for key, quiet in self.quiet.items() if come else ():
            former[key[0]].append(quiet)
        for key in gone:
            del self.quiet[key]
        for key in come:
            self._quiet(key, at.now, former.get(key[0], ()))
        self._young = False

    def write_zeros(self, at: Instant) -> None:
        """Write down the minutes that are over, and were without use for certain."""
        if self.knowledge.missing(at):
            return
        zeros: list[tuple[Subject, datetime]] = []
        for each in self._all():
            quiet = self._quiet(each.key, at.now)
            if each.serving:
                minutes = quiet.over(at.now, self.knowledge.known_since)
                zeros += [(each, minute) for minute in minutes]
            else:
                quiet.skip(at.now)
        if zeros:
            self._accounts.defer(partial(no_use, self._accounts, zeros))

    # What is asked.

    def take_used(self) -> set[tuple[str, str]]:
        """Return the endpoints and variants, or components, used since this was last asked."""
        used, self._used = self._used, set()
        for endpoints in self._in_flight.values():
            for rows in endpoints.values():
                used |= {(endpoint, name) for (endpoint, name, _), number in rows.items() if number}
        return used

    def in_flight(self, endpoint_name: str) -> Mapping[_Key, int]:
        """Return how many requests are under way in all gateways."""
        total: dict[_Key, int] = defaultdict(int)
        for endpoints in self._in_flight.values():
            for key, number in endpoints.get(endpoint_name, {}).items():
                total[key] += number
        return total

    def _all(self) -> Iterator[Subject]:
        for subjects in self.subjects.all().values():
            yield from subjects

    def _quiet(self, key: _Key, now: datetime, former: Sequence[Quiet] = ()) -> Quiet:
        known = self.quiet.get(key)
        if known is None:
            known = Quiet.old(now, UNREAD) if self._young else Quiet.joining(now, former)
            self.quiet[key] = known
        return known

    def _touch_all(self, endpoint_name: str, at: Instant) -> None:
        for each in self.subjects.of(endpoint_name):
            self.touch(each, at.now)

    def _use(self, key: _Key, used: link.Usage, at: Instant) -> None:
        quiet = self._quiet(key, at.now)
        if used.invocations or used.in_flight or used.no_capacity:
            quiet.use(at.now, at.now)
            self._used.add((key[0], key[1]))
        elif used.age is not None:
            quiet.use(at.now - timedelta(seconds=used.age * self.knowledge.scale), at.now)

    def _unplaced(self, endpoint_name: str, used: link.Usage, at: Instant) -> None:
        """Count requests that wait for any variant, or waited in vain, as use of all of them."""
        if not used.invocations and not used.in_flight:
            return
        self._touch_all(endpoint_name, at)
        if used.invocations:
            series = Series.of(PARKADE, "UnplacedInvocations", EndpointName=endpoint_name)
            self._add(series, at.now, Aggregate.of(1.0, used.invocations))

    def _count(
        self,
        endpoint_name: str,
        name: str,
        used: link.Usage,
        subjects: Mapping[_Key, Subject],
        now: datetime,
    ) -> None:
        if not any((used.invocations, used.no_capacity, used.streams, used.retried, used.dropped)):
            return  # an endpoint with any news is there with all its variants
        subject = subjects.get((endpoint_name, name, used.component))
        dimensions = {"EndpointName": endpoint_name, "VariantName": name}
        if used.component:
            dimensions = {"InferenceComponentName": name}
        self._measure(dimensions, used, subject, now)
        if subject is not None and used.component:
            variant = subjects.get((endpoint_name, subject.variant_name, False))
            dimensions = {"EndpointName": endpoint_name, "VariantName": subject.variant_name}
            self._measure(dimensions, used, variant, now)
            if variant is not None and used.invocations:
                self.touch(variant, now)

    def _measure(
        self,
        dimensions: Mapping[str, str],
        used: link.Usage,
        subject: Subject | None,
        now: datetime,
    ) -> None:
        self._accounts.defer(partial(invocations, self._accounts, dimensions, used, subject, now))

    def _add(self, series: Series, at: datetime, value: Aggregate) -> None:
        self._accounts.add(series, at, value, unit=Unit.COUNT)
