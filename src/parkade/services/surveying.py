"""Gathers what an audit looks at. What cannot be read is told as such, and stops nothing else.

What is set about endpoints is read first, and the endpoints last: whatever comes into being while
the survey is taken is then there for everything that belongs to it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from parkade.domain import names
from parkade.domain.alarmshapes import series_of
from parkade.domain.audit.survey import Gone, Survey, Watched
from parkade.domain.deploy.deployment import Status
from parkade.domain.errors import NotFound, ParkadeError
from parkade.domain.scaling import arns
from parkade.domain.series import COMPONENTS, INSTANCES, PARKADE, SAGEMAKER
from parkade.services.alarms import subjects
from parkade.services.maintainer import ENDPOINT
from parkade.services.projects.endpointconfigs import ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from parkade.domain.alarm import Alarm
    from parkade.domain.audit.survey import Process
    from parkade.domain.blueprint import Blueprint
    from parkade.domain.catalog import Model
    from parkade.domain.deploy.deployment import Deployment
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.domain.lease import Lease
    from parkade.domain.price import Sum
    from parkade.domain.project.application import Application
    from parkade.domain.project.record import Record
    from parkade.domain.scaling.policy import Policy
    from parkade.domain.scaling.target import ScalableTarget
    from parkade.domain.targets import TargetSetting
    from parkade.domain.terms import Booking
    from parkade.ports.catalog import Listing, RecordedEndpoint
    from parkade.ports.clock import Clock
    from parkade.ports.hosting import Hosting
    from parkade.ports.inventory import Inventory
    from parkade.ports.leases import Shelf
    from parkade.ports.machines import Machines
    from parkade.ports.objects import Objects
    from parkade.ports.remains import RemainsStore
    from parkade.ports.routes import Route
    from parkade.ports.watches import WatchStore
    from parkade.services.outbox import Delivery
    from parkade.services.prices import Prices

#: A lease that is over for longer is asked about.
STALE_AFTER = timedelta(days=30)
#: The namespaces of what is measured here.
_OURS = frozenset({SAGEMAKER, INSTANCES, COMPONENTS, PARKADE})

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where everything is read."""

    clock: Clock
    wall: Clock
    leases: Callable[[], Shelf]
    hosting: Hosting
    catalog: Inventory
    objects: Objects
    remains: RemainsStore
    watches: WatchStore
    bookings: Callable[[], Listing[Booking]]
    alarms: Callable[[], Listing[Alarm]]
    scaled: Callable[[], Listing[ScalableTarget]]
    policies: Callable[[], Listing[Policy]]
    deployments: Callable[[], Listing[Deployment]]
    projects: Callable[[], Listing[Record]]
    applications: Callable[[], Listing[Application]]
    routes: Callable[[], Sequence[Route]]
    targets: Callable[[], Sequence[TargetSetting]]
    #: How delivery to each subscriber stands, and why subscribers cannot be read.
    deliveries: Callable[[], Mapping[str, Delivery]]
    unreadable_subscribers: Callable[[], Mapping[str, str]]
    #: The processes that carry the marker of this server's workers.
    processes: Callable[[], Sequence[Process]]
    machines: Machines
    prices: Prices


@dataclass(slots=True)
class _Reading:
    """Reads part after part, and remembers what could not be read."""

    unread: dict[str, str] = field(default_factory=dict)
    partial: set[str] = field(default_factory=set)

    def part(self, part: str, noun: str, read: Callable[[], _Part]) -> _Part | None:
        """Return what is read; None where it cannot be, which is told."""
        try:
            return read()
        except ParkadeError as error:
            self.unread[noun] = error.message
            self.partial.add(part)
            return None

    def listing(self, part: str, noun: str, read: Callable[[], Any]) -> tuple[Any, ...]:
        """Return the records of a listing; each that is damaged is told."""
        listing = self.part(part, f"the {noun}s", read)
        if listing is None:
            return ()
        self.damaged(part, noun, listing.unreadable)
        return tuple(listing.records)

    def damaged(self, part: str, noun: str, unreadable: Mapping[str, str]) -> None:
        """Tell of what is damaged."""
        for name, why in unreadable.items():
            self.unread[f"{noun} {name}"] = why
            self.partial.add(part)


class Surveyor:
    """Takes surveys; changes nothing."""

    def __init__(self, sources: Sources) -> None:
        self._from = sources

    async def survey(self) -> Survey:
        """Return everything there is, as of now."""
        reading = _Reading()
        fields = await asyncio.to_thread(self._belongings, reading)
        # Hosting, and what its endpoints run on, is for the event loop.
        fields |= self._endpoints(reading)
        return Survey(
            now=self._from.clock.now(),
            wall=self._from.wall.now(),
            stale_after=STALE_AFTER,
            unread=reading.unread,
            partial=frozenset(reading.partial),
            **fields,
        )

    def _belongings(self, reading: _Reading) -> dict[str, Any]:
        """Read what belongs to endpoints, and what they are made of. Blocking."""
        sources = self._from
        models = reading.listing("models", "model", sources.catalog.models)
        configs = reading.listing("configs", "endpoint config", sources.catalog.configs)
        remains = reading.listing("remains", "record for undo of", sources.remains.all)
        deliveries = reading.part("progress", "the deliveries", sources.deliveries) or {}
        unheard = reading.part("progress", "the subscribers", sources.unreadable_subscribers)
        reading.damaged("progress", "subscriber", unheard or {})
        # No check rests on them; damaged, they hold what cannot be applied or destroyed any more.
        reading.listing("projects", "project", sources.projects)
        reading.listing("projects", "application", sources.applications)
        tagged = reading.part("tags", "the tags", lambda: sources.catalog.tagged(ENDPOINT))
        if tagged is not None:
            reading.damaged("tags", "tags of", tagged.unreadable)
        marked = reading.part("ready", "the tags of configs", lambda: ready(sources.catalog))
        return {
            "ready": marked or frozenset(),
            # Processes before the instances: one that is found was recorded before it was begun.
            "processes": reading.part("processes", "the processes", sources.processes) or (),
            "instances": frozenset(
                each.id
                for each in reading.listing("instances", "instance", sources.catalog.instances)
            ),
            "models": {each.name: each for each in models},
            "configs": {each.name: each for each in configs},
            "remains": {
                each.endpoint_name: Gone(removed_at=each.removed_at, blueprint=each.blueprint)
                for each in remains
            },
            "absent": self._absent(
                reading, [*models, *(model for each in remains for model in each.blueprint.models)]
            ),
            **self._alarms(reading),
            **self._scaling(reading),
            "routes": {
                each.path: each.endpoint_name
                for each in reading.part("routes", "the routes", sources.routes) or ()
            },
            "tags": dict(tagged.tags) if tagged is not None else {},
            "watches": {
                each.endpoint_name: each
                for each in reading.listing("watches", "watch of", sources.watches.all)
            },
            "progress": {name: each.progress for name, each in deliveries.items() if each.progress},
            "letters": {name: each.letters for name, each in deliveries.items()},
        }

    def _alarms(self, reading: _Reading) -> dict[str, Any]:
        found = reading.listing("alarms", "alarm", self._from.alarms)
        leading = {each.name: _led_to(each) for each in found}
        return {
            # Parkade makes and removes its own by itself.
            "alarms": {each.name: _watched(each) for each in found if not each.own},
            "leading": {name: keys for name, keys in leading.items() if keys},
            "own_alarms": frozenset(each.name for each in found if each.own),
        }

    def _scaling(self, reading: _Reading) -> dict[str, Any]:
        sources = self._from
        scaled = reading.listing("scaled", "scalable target", sources.scaled)
        policies = reading.listing("policies", "scaling policy", sources.policies)
        deployments = reading.listing("deployments", "deployment", sources.deployments)
        return {
            "scaled": {each.resource.id: each for each in scaled},
            "policies": {each.key: each for each in policies},
            "suspended_by": _suspended_by(deployments),
            "deployed": {
                each.config_name: each.endpoint_name for each in deployments if each.made_config
            },
            "deploying": frozenset(each.config_name for each in deployments if not each.over),
        }

    def _absent(self, reading: _Reading, models: Iterable[Model]) -> frozenset[str]:
        """Return the addresses of model data that are not there; prefixes of many are not asked."""
        urls = {
            each.data_url
            for model in models
            for each in model.containers
            if each.data_url and not each.multi_model and not each.data_url.endswith("/")
        }
        absent = reading.part(
            "absent", "the objects", lambda: [url for url in urls if not self._there(url)]
        )
        return frozenset(absent or ())

    def _there(self, url: str) -> bool:
        try:
            self._from.objects.stat(*names.s3_address(url))
        except NotFound:
            return False
        return True

    def _endpoints(self, reading: _Reading) -> dict[str, Any]:
        """Read the endpoints, and what gives them the right to run."""
        sources = self._from
        targets = reading.part("targets", "the settings of target models", sources.targets)
        bookings = reading.listing("booked", "booking", sources.bookings)
        shelf = reading.part("leases", "the leases", sources.leases)
        if shelf is not None:
            reading.damaged("lease_terms", "lease of", shelf.unreadable)
        leases = {each.endpoint_name: each for each in shelf.leases} if shelf else {}
        recorded = reading.listing("blueprints", "endpoint", sources.catalog.endpoints)
        components = reading.listing(
            "components", "inference component", sources.catalog.components
        )
        endpoints = reading.part("endpoints", "hosting", sources.hosting.endpoints) or {}
        booked: dict[str, list[str]] = {}
        for each in bookings:
            booked.setdefault(each.endpoint_name, []).append(each.config_name)
        return {
            "targets": targets or (),
            "booked": booked,
            "leases": leases,
            "damaged": frozenset(shelf.unreadable) if shelf else frozenset(),
            "blueprints": {each.name: _blueprints(each) for each in recorded},
            "components": {each.name: each.component for each in components},
            "endpoints": endpoints,
            "hourly": self._hourly(endpoints, leases),
        }

    def _hourly(
        self, endpoints: Mapping[str, ObservedEndpoint], leases: Mapping[str, Lease]
    ) -> dict[str, Sum]:
        """Return what endpoints that nobody pays for cost; what is not known is left out."""
        found: dict[str, Sum] = {}
        for name, seen in endpoints.items():
            if name in leases:
                continue
            try:
                machines = self._from.machines.wanted(name, seen.config_name)
            except ParkadeError:
                continue  # what it runs on is not known, so neither is what it costs
            found[name] = self._from.prices.hourly(machines)
        return found


def _blueprints(endpoint: RecordedEndpoint) -> tuple[Blueprint, ...]:
    return (endpoint.blueprint, *([endpoint.target] if endpoint.target else []))


def _led_to(alarm: Alarm) -> frozenset[str]:
    """Return the keys of the scaling policies that an alarm leads to."""
    actions = (*alarm.alarm_actions, *alarm.ok_actions, *alarm.insufficient_data_actions)
    return frozenset(arns.policy_key(action) for action in actions) - {""}


def _suspended_by(deployments: Iterable[Deployment]) -> dict[str, str]:
    """Return the newest deployment that has suspended a resource, where that came to no good end."""
    found: dict[str, str] = {}
    for each in deployments:
        for target in each.scaling.targets if each.scaling else ():
            found.pop(target.resource.id, None)
            if each.status in {Status.FAILED, Status.CANCELLED}:
                found[target.resource.id] = each.id
    return found


def _watched(alarm: Alarm) -> tuple[Watched, ...]:
    """Return what an alarm is on; nothing of one on somebody's own series, for nobody knows those."""
    if any(series.namespace not in _OURS for series in series_of(alarm)):
        return ()
    return tuple(
        Watched(
            endpoint_name=each.endpoint_name,
            variant_name=each.variant_name,
            component_name=each.component_name,
        )
        for each in subjects(alarm)
    )
