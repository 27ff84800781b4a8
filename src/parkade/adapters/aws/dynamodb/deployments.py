"""Deployments: an item each, and a marker for each endpoint that one is running of.

    "deployment"  d-1                    the deployment
    "deployed"    falcon/00017...01      its place among those of its endpoint
    "deploying"   falcon                 id=d-1: there can be no other item of this key

The marker is written and removed in the transactions that begin and end the deployment. Lists are
read by marker and place rather than by an index, which would be a moment behind: what is decided on
them is not written on condition of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from parkade.adapters.aws.dynamodb.changes import Condition, equal
from parkade.adapters.aws.dynamodb.kind import NEW, THERE, Kind, contended
from parkade.domain.deploy.deployment import Deployment, Status
from parkade.domain.errors import DeploymentNotFound, InUse, VersionConflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parkade.adapters.aws.dynamodb.attributes import Item
    from parkade.adapters.aws.dynamodb.changes import Change
    from parkade.adapters.aws.dynamodb.events import DynamoHistory
    from parkade.domain.errors import ParkadeError
    from parkade.domain.event import Event
    from parkade.ports.catalog import Listing

_PLACE, _RUNNING = "deployed", "deploying"
#: Digits of a number, so that texts of them are in the order of numbers.
_DIGITS = 20


class DynamoDeploymentStore:
    """The deployment store port."""

    def __init__(self, history: DynamoHistory) -> None:
        self._kind = Kind(history, "deployment", Deployment, "deployment")
        self._table = history.table
        self._change = history.table.change

    def get(self, deployment_id: str) -> Deployment:
        """Return the deployment."""
        found = self._kind.find(deployment_id)
        if found is None:
            raise _unknown(deployment_id)
        return found

    def all(self, endpoint_name: str | None = None) -> Listing[Deployment]:
        """Return deployments, oldest first, those apart that cannot be read."""
        if endpoint_name is None:
            return self._listing(self._table.query(self._kind.name))
        places = self._table.query(_PLACE, begins=f"{endpoint_name}/")
        return self._listing(self._named(places))

    def running(self) -> Listing[Deployment]:
        """Return those that are running, oldest first, those apart that cannot be read."""
        found = self._named(self._table.query(_RUNNING))
        return self._listing(each for each in found if each.get("status") == Status.RUNNING)

    def put(self, deployment: Deployment, event: Event | None = None) -> Deployment:
        """Store deployment and event in one transaction, unless another write came first."""
        item = self._kind.item(deployment.id)
        held = None if item is None else self._kind.read(item)
        if (held.version if held else 0) != deployment.version:
            raise _lost(deployment.id)
        stored = replace(deployment, version=deployment.version + 1)
        number = self._kind.history.number() if item is None else item.get("number")
        written = self._kind.put(
            stored.id,
            stored,
            where=NEW if held is None else equal(version=held.version),
            lost=lambda _: _lost(stored.id),
            endpoint_name=stored.endpoint_name,
            status=str(stored.status),
            version=stored.version,
            number=number,
        )
        changes = [written, *self._marked(held, stored)]
        if held is None:
            changes.append(
                self._change.put(_place(stored.endpoint_name, number), {"id": stored.id})
            )
        self._kind.store(changes, event)
        return stored

    def remove(self, deployment_id: str, event: Event) -> None:
        """Remove the deployment and write the event, in one transaction."""
        for attempt in contended():
            with attempt:
                item = self._kind.item(deployment_id)
                if item is None:
                    raise _unknown(deployment_id)
                self._kind.store(self._removed(deployment_id, item), event)

    def _marked(self, held: Deployment | None, stored: Deployment) -> Sequence[Change]:
        """Return what is to become of the marker."""
        name = stored.endpoint_name
        if held is None and stored.over:
            return (self._change.check((_RUNNING, name), NEW, lost=lambda i: _in_use(name, i)),)
        if (held is None or held.over) and not stored.over:
            marker = {"id": stored.id}
            return (
                self._change.put(
                    (_RUNNING, name), marker, where=NEW, lost=lambda i: _in_use(name, i)
                ),
            )
        if held is not None and not held.over and stored.over:
            return (self._unmarked(name, stored.id),)
        return ()

    def _unmarked(self, endpoint_name: str, deployment_id: str) -> Change:
        """Return the removal of the marker, of this deployment alone."""
        own = Condition(
            "attribute_not_exists(#pk) OR #id = :id",
            {"#pk": "pk", "#id": "id"},
            {":id": deployment_id},
        )
        return self._change.delete((_RUNNING, endpoint_name), where=own)

    def _removed(self, deployment_id: str, item: Item) -> Sequence[Change]:
        name, status = str(item.get("endpoint_name")), str(item.get("status"))
        changes = [
            self._kind.delete(deployment_id, where=THERE & equal(status=status)),
            self._change.delete(_place(name, item.get("number"))),
        ]
        if status == Status.RUNNING:
            changes.append(self._unmarked(name, deployment_id))
        return changes

    def _named(self, items: Iterable[Item]) -> Iterable[Item]:
        """Give the deployments that items name."""
        return self._table.many((self._kind.name, str(each.get("id"))) for each in items)

    def _listing(self, items: Iterable[Item]) -> Listing[Deployment]:
        return self._kind.listing(sorted(items, key=lambda item: _number(item.get("number"))))


def _place(endpoint_name: str, number: object) -> tuple[str, str]:
    return _PLACE, f"{endpoint_name}/{_number(number):0{_DIGITS}d}"


def _number(number: object) -> int:
    """Return the place of a deployment; that of one whose item was edited is the first."""
    return number if isinstance(number, int) else 0


def _unknown(deployment_id: str) -> ParkadeError:
    return DeploymentNotFound(f"there is no deployment {deployment_id!r}")


def _lost(deployment_id: str) -> ParkadeError:
    return VersionConflict(
        f"deployment {deployment_id!r} was changed by somebody else",
        hint="read it again, then decide again",
    )


def _in_use(endpoint_name: str, marker: Item | None) -> ParkadeError:
    other = str((marker or {}).get("id"))
    return InUse(
        f"endpoint {endpoint_name!r} is being deployed to by {other}",
        hint=f"wait until it is over, or call it off: parkade deployments cancel {other}",
    )
