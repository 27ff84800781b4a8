"""What the embedded host must remember: one row a record."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from parkade.adapters.sqlite import columns
from parkade.adapters.sqlite.events import record
from parkade.domain.catalog import EndpointConfig, Model, Variant
from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    ConfigNotFound,
    EndpointNotFound,
    ModelNotFound,
    Unreadable,
)
from parkade.ports.catalog import Listing, RecordedEndpoint, RecordedInstance

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.adapters.sqlite.database import Database
    from parkade.domain.event import Event

_Record = TypeVar("_Record")


class SqliteCatalogStore:
    """The catalog store port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_model(self, model: Model, event: Event) -> None:
        """Store a new model."""
        values = (
            model.name,
            model.image,
            model.data_url,
            json.dumps(dict(model.environment)),
            columns.instant(model.created_at),
        )
        with self._database.writing() as connection:
            try:
                connection.execute("INSERT INTO models VALUES (?, ?, ?, ?, ?)", values)
            except sqlite3.IntegrityError as error:
                raise AlreadyExists(f"there is already a model {model.name!r}") from error
            record(connection, event)

    def model(self, name: str) -> Model:
        """Return the model."""
        row = self._find("SELECT * FROM models WHERE name = ?", name)
        if row is None:
            raise ModelNotFound(f"no model has the name {name!r}")
        return _model(row)

    def models(self) -> Listing[Model]:
        """Return every model in the order of names."""
        return self._list("SELECT * FROM models ORDER BY name", _model)

    def remove_model(self, name: str, event: Event) -> None:
        """Remove the model."""
        with self._database.writing() as connection:
            if not connection.execute("DELETE FROM models WHERE name = ?", (name,)).rowcount:
                raise ModelNotFound(f"no model has the name {name!r}")
            record(connection, event)

    def add_config(self, config: EndpointConfig, event: Event) -> None:
        """Store a new endpoint config."""
        variants = json.dumps([asdict(variant) for variant in config.variants])
        values = (config.name, variants, columns.instant(config.created_at))
        with self._database.writing() as connection:
            try:
                connection.execute("INSERT INTO configs VALUES (?, ?, ?)", values)
            except sqlite3.IntegrityError as error:
                raise AlreadyExists(
                    f"there is already an endpoint config {config.name!r}"
                ) from error
            record(connection, event)

    def config(self, name: str) -> EndpointConfig:
        """Return the endpoint config."""
        row = self._find("SELECT * FROM configs WHERE name = ?", name)
        if row is None:
            raise ConfigNotFound(f"no endpoint config has the name {name!r}")
        return _config(row)

    def configs(self) -> Listing[EndpointConfig]:
        """Return every endpoint config in the order of names."""
        return self._list("SELECT * FROM configs ORDER BY name", _config)

    def remove_config(self, name: str, event: Event) -> None:
        """Remove the endpoint config."""
        with self._database.writing() as connection:
            if not connection.execute("DELETE FROM configs WHERE name = ?", (name,)).rowcount:
                raise ConfigNotFound(f"no endpoint config has the name {name!r}")
            record(connection, event)

    def put_endpoint(self, endpoint: RecordedEndpoint, event: Event) -> None:
        """Store the endpoint over the one of its name."""
        values = (
            endpoint.name,
            endpoint.config_name,
            endpoint.status,
            columns.instant(endpoint.created_at),
            columns.instant(endpoint.changed_at),
            endpoint.failure_reason,
        )
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO endpoints VALUES (?, ?, ?, ?, ?, ?)", values)
            record(connection, event)

    def endpoint(self, name: str) -> RecordedEndpoint:
        """Return the endpoint."""
        row = self._find("SELECT * FROM endpoints WHERE name = ?", name)
        if row is None:
            raise EndpointNotFound(f"no endpoint has the name {name!r}")
        return _endpoint(row)

    def endpoints(self) -> Listing[RecordedEndpoint]:
        """Return every endpoint in the order of names."""
        return self._list("SELECT * FROM endpoints ORDER BY name", _endpoint)

    def remove_endpoint(self, name: str, event: Event) -> None:
        """Remove the endpoint; where it is gone, nothing is written."""
        with self._database.writing() as connection:
            if connection.execute("DELETE FROM endpoints WHERE name = ?", (name,)).rowcount:
                record(connection, event)

    def put_instance(self, instance: RecordedInstance) -> None:
        """Store the instance over the one of its id."""
        values = (
            instance.id,
            instance.endpoint_name,
            instance.variant_name,
            columns.instant(instance.started_at),
        )
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO instances VALUES (?, ?, ?, ?)", values)

    def instances(self) -> Listing[RecordedInstance]:
        """Return every instance in the order of ids."""
        return self._list("SELECT * FROM instances ORDER BY id", _instance)

    def remove_instance(self, instance_id: str) -> None:
        """Remove the instance, where it is there."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM instances WHERE id = ?", (instance_id,))

    def _find(self, statement: str, name: str) -> sqlite3.Row | None:
        with self._database.reading() as connection:
            row: sqlite3.Row | None = connection.execute(statement, (name,)).fetchone()
        return row

    def _list(self, statement: str, read: Callable[[sqlite3.Row], _Record]) -> Listing[_Record]:
        with self._database.reading() as connection:
            rows = connection.execute(statement).fetchall()
        records: list[_Record] = []
        unreadable: dict[str, str] = {}
        for row in rows:
            try:
                records.append(read(row))
            except Unreadable as error:
                # The first column is the name, or the id.
                unreadable[str(row[0])] = error.message
        return Listing(tuple(records), unreadable)


def _model(row: sqlite3.Row) -> Model:
    with columns.reading(f"model {row['name']!r}"):
        return Model(
            name=columns.read_text(row, "name"),
            image=columns.read_text(row, "image"),
            data_url=columns.read_text(row, "data_url"),
            environment=_environment(row),
            created_at=columns.read_instant(row, "created_at"),
        )


def _environment(row: sqlite3.Row) -> dict[str, str]:
    environment = columns.read_object(row, "environment")
    return {key: columns.read_text(environment, key) for key in environment}


def _config(row: sqlite3.Row) -> EndpointConfig:
    with columns.reading(f"endpoint config {row['name']!r}"):
        variants = columns.read_json(row, "variants")
        if not isinstance(variants, list):
            raise Unreadable(f"its variants {variants!r} are not a list")
        return EndpointConfig(
            name=columns.read_text(row, "name"),
            variants=tuple(_variant(variant) for variant in variants),
            created_at=columns.read_instant(row, "created_at"),
        )


def _variant(content: Any) -> Variant:
    try:
        return Variant(**content)
    except TypeError as error:
        raise Unreadable(f"its variant {content!r} is not usable") from error


def _endpoint(row: sqlite3.Row) -> RecordedEndpoint:
    with columns.reading(f"endpoint {row['name']!r}"):
        return RecordedEndpoint(
            name=columns.read_text(row, "name"),
            config_name=columns.read_text(row, "config_name"),
            status=columns.read_word(row, "status", EndpointStatus),
            created_at=columns.read_instant(row, "created_at"),
            changed_at=columns.read_instant(row, "changed_at"),
            failure_reason=columns.read_text(row, "failure_reason"),
        )


def _instance(row: sqlite3.Row) -> RecordedInstance:
    with columns.reading(f"instance {row['id']!r}"):
        return RecordedInstance(
            id=columns.read_text(row, "id"),
            endpoint_name=columns.read_text(row, "endpoint_name"),
            variant_name=columns.read_text(row, "variant_name"),
            started_at=columns.read_instant(row, "started_at"),
        )
