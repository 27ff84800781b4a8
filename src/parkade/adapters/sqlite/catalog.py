"""What the embedded host must remember: one document a record."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Generic, TypeVar

from parkade.adapters.documents import columns
from parkade.adapters.documents.records import Documents
from parkade.adapters.sqlite.events import record
from parkade.adapters.sqlite.remains import keep
from parkade.domain.catalog import EndpointConfig, Model
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    ComponentNotFound,
    ConfigNotFound,
    EndpointNotFound,
    ModelNotFound,
    NotFound,
    Unreadable,
)
from parkade.ports.catalog import (
    Listing,
    RecordedComponent,
    RecordedEndpoint,
    RecordedInstance,
    Tagged,
)
from parkade.ports.remains import remains_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event

_Record = TypeVar("_Record")


class SqliteCatalogStore:
    """The catalog store port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._models = _Table(database, "models", "model", Model, ModelNotFound)
        self._configs = _Table(
            database, "configs", "endpoint config", EndpointConfig, ConfigNotFound
        )
        self._endpoints = _Table(
            database, "endpoints", "endpoint", RecordedEndpoint, EndpointNotFound
        )
        self._instances = _Table(database, "instances", "instance", RecordedInstance, NotFound)
        self._components = _Table(
            database, "components", "inference component", RecordedComponent, ComponentNotFound
        )

    def add_model(self, model: Model, event: Event) -> None:
        """Store a new model."""
        self._models.add(model.name, model, event)

    def model(self, name: str) -> Model:
        """Return the model."""
        return self._models.get(name)

    def models(self) -> Listing[Model]:
        """Return every model in the order of names."""
        return self._models.all()

    def remove_model(self, name: str, event: Event) -> None:
        """Remove the model."""
        self._models.remove(name, event, strict=True)

    def add_config(self, config: EndpointConfig, event: Event) -> None:
        """Store a new endpoint config."""
        self._configs.add(config.name, config, event)

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config."""
        return self._configs.get(name)

    def configs(self) -> Listing[EndpointConfig]:
        """Return every endpoint config in the order of names."""
        return self._configs.all()

    def remove_config(self, name: str, event: Event) -> None:
        """Remove the endpoint config."""
        self._configs.remove(name, event, strict=True)

    def put_endpoint(self, endpoint: RecordedEndpoint, event: Event) -> None:
        """Store the endpoint over the one of its name, and what is left of one that goes."""
        with self._database.writing() as connection:
            self._endpoints.write(connection, endpoint.name, endpoint)
            if endpoint.status is EndpointStatus.DELETING:
                tags = _tags_left(connection, endpoint.name)
                keep(connection, remains_of(endpoint, tags))
            record(connection, event)

    def endpoint(self, name: str) -> RecordedEndpoint:
        """Return the endpoint."""
        return self._endpoints.get(name)

    def endpoints(self) -> Listing[RecordedEndpoint]:
        """Return every endpoint in the order of names."""
        return self._endpoints.all()

    def remove_endpoint(self, name: str, event: Event) -> None:
        """Remove the endpoint; where it is gone, nothing is written."""
        self._endpoints.remove(name, event)

    def put_instance(self, instance: RecordedInstance) -> None:
        """Store the instance over the one of its id."""
        self._instances.put(instance.id, instance)

    def instances(self) -> Listing[RecordedInstance]:
        """Return every instance in the order of ids."""
        return self._instances.all()

    def remove_instance(self, instance_id: str) -> None:
        """Remove the instance, where it is there."""
        self._instances.remove(instance_id)

    def put_component(self, component: RecordedComponent, event: Event) -> None:
        """Store the inference component over the one of its name."""
        self._components.put(component.name, component, event)

    def component(self, name: str) -> RecordedComponent:
        """Return the inference component."""
        return self._components.get(name)

    def components(self) -> Listing[RecordedComponent]:
        """Return every inference component in the order of names."""
        return self._components.all()

    def remove_component(self, name: str, event: Event) -> None:
        """Remove the inference component; where it is gone, nothing is written."""
        self._components.remove(name, event)

    def put_tags(self, kind: str, name: str, tags: Mapping[str, str]) -> None:
        """Store all tags of this kind and name; with none, forget them."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM tags WHERE kind = ? AND name = ?", (kind, name))
            if tags:
                text = json.dumps(dict(tags), sort_keys=True)
                connection.execute("INSERT INTO tags VALUES (?, ?, ?)", (kind, name, text))

    def tagged(self, kind: str) -> Tagged:
        """Return the tags of all of this kind that have any, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM tags WHERE kind = ? ORDER BY name", (kind,)
            ).fetchall()
        tags: dict[str, Mapping[str, str]] = {}
        unreadable: dict[str, str] = {}
        for row in rows:
            name = str(row["name"])
            try:
                tags[name] = _read_tags(row)
            except Unreadable as error:
                unreadable[name] = error.message
        return Tagged(tags, unreadable)

    def tags(self, kind: str, name: str) -> Mapping[str, str]:
        """Return the tags, in the order of keys."""
        with self._database.reading() as connection:
            return _find_tags(connection, kind, name)


def _find_tags(connection: sqlite3.Connection, kind: str, name: str) -> Mapping[str, str]:
    row = connection.execute(
        "SELECT * FROM tags WHERE kind = ? AND name = ?", (kind, name)
    ).fetchone()
    return {} if row is None else _read_tags(row)


def _tags_left(connection: sqlite3.Connection, endpoint_name: str) -> Mapping[str, str]:
    """Return the tags of an endpoint that goes; damaged ones must not keep it from going."""
    try:
        return _find_tags(connection, "endpoint", endpoint_name)
    except Unreadable:
        return {}


def _read_tags(row: sqlite3.Row) -> Mapping[str, str]:
    with columns.reading(f"the tags of {row['kind']} {row['name']!r}"):
        tags = columns.read_object(row, "tags")
        return {key: columns.read_text(tags, key) for key in sorted(tags)}


class _Table(Generic[_Record]):
    """One table of documents under their names."""

    def __init__(
        self,
        database: Database,
        table: str,
        noun: str,
        kind: type[_Record],
        missing: type[NotFound],
    ) -> None:
        self._database = database
        self._noun = noun
        self._documents = Documents(kind, noun)
        self._missing = missing
        self._select = f"SELECT * FROM {table}"  # noqa: S608  a name of our own
        self._insert = f"INTO {table} VALUES (?, ?)"
        key = "id" if table == "instances" else "name"
        self._named = f"WHERE {key} = ?"
        self._ordered = f"ORDER BY {key}"
        self._delete = f"DELETE FROM {table}"  # noqa: S608

    def add(self, name: str, value: _Record, event: Event) -> None:
        """Store it where there is none of this name yet."""
        with self._database.writing() as connection:
            try:
                connection.execute(f"INSERT {self._insert}", (name, self._documents.write(value)))
            except sqlite3.IntegrityError as error:
                article = "an" if self._noun[0] in "aeio" else "a"
                raise AlreadyExists(f"there is already {article} {self._noun} {name!r}") from error
            record(connection, event)

    def put(self, name: str, value: _Record, event: Event | None = None) -> None:
        """Store it over the one of this name."""
        with self._database.writing() as connection:
            self.write(connection, name, value)
            if event is not None:
                record(connection, event)

    def write(self, connection: sqlite3.Connection, name: str, value: _Record) -> None:
        """Store it over the one of this name, in the transaction of whoever calls."""
        text = self._documents.write(value)
        connection.execute(f"INSERT OR REPLACE {self._insert}", (name, text))

    def get(self, name: str) -> _Record:
        """Return the one of this name."""
        with self._database.reading() as connection:
            row = connection.execute(f"{self._select} {self._named}", (name,)).fetchone()
        if row is None:
            raise self._missing(f"no {self._noun} has the name {name!r}")
        return self._documents.read(name, row["content"])

    def all(self) -> Listing[_Record]:
        """Return all in the order of names, those apart that cannot be read."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{self._select} {self._ordered}").fetchall()
        return self._documents.listing(rows)

    def remove(self, name: str, event: Event | None = None, *, strict: bool = False) -> None:
        """Remove the one of this name; where it is gone that is done, or said if `strict`."""
        with self._database.writing() as connection:
            gone = not connection.execute(f"{self._delete} {self._named}", (name,)).rowcount
            if gone and strict:
                raise self._missing(f"no {self._noun} has the name {name!r}")
            if not gone and event is not None:
                record(connection, event)
