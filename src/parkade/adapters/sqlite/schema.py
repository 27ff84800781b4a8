"""The tables, as ordered migrations.

A migration that was released is never changed; a new one is added behind it. Instants are ISO
8601 text in UTC with microseconds, which sorts in the order of time and which people can read.
"""

from __future__ import annotations

from dataclasses import dataclass

from parkade.adapters.sqlite import projecttables, scaletables
from parkade.adapters.sqlite.tables import ALARMS, LEASES, MONEY, OUTBOX, UPKEEP

#: Marks the file as Parkade's own: "PARK".
APPLICATION_ID = 0x5041524B

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        """
        CREATE TABLE meta (
            key TEXT PRIMARY KEY NOT NULL,
            value TEXT NOT NULL
        )
        """,
        # AUTOINCREMENT: a number is never given twice.
        """
        CREATE TABLE events (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,
            kind TEXT NOT NULL,
            actor TEXT NOT NULL,
            reason TEXT NOT NULL,
            endpoint_name TEXT NOT NULL,
            data TEXT NOT NULL
        )
        """,
        "CREATE INDEX events_by_endpoint ON events (endpoint_name, number)",
        "CREATE INDEX events_by_kind ON events (kind, number)",
        """
        CREATE TRIGGER events_keep BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'events are append-only'); END
        """,
        """
        CREATE TRIGGER events_stay BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'events are append-only'); END
        """,
        """
        CREATE TABLE leases (
            endpoint_name TEXT PRIMARY KEY NOT NULL,
            config_name TEXT NOT NULL,
            owner TEXT NOT NULL,
            created_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            ended TEXT,
            ended_at TEXT,
            retries INTEGER NOT NULL,
            refused_at TEXT,
            failure TEXT NOT NULL,
            warned TEXT NOT NULL,
            version INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE coins (
            endpoint_name TEXT NOT NULL REFERENCES leases ON DELETE CASCADE,
            scope TEXT NOT NULL,
            key TEXT NOT NULL,
            request TEXT NOT NULL,
            lease TEXT NOT NULL,
            PRIMARY KEY (endpoint_name, scope, key)
        )
        """,
        """
        CREATE TABLE tokens (
            name TEXT PRIMARY KEY NOT NULL,
            digest TEXT NOT NULL UNIQUE,
            role TEXT NOT NULL,
            endpoints TEXT NOT NULL,
            created_at TEXT NOT NULL,
            expires_at TEXT,
            revoked_at TEXT
        )
        """,
        """
        CREATE TABLE routes (
            path TEXT PRIMARY KEY NOT NULL,
            endpoint_name TEXT NOT NULL,
            public INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE executions (
            arn TEXT PRIMARY KEY NOT NULL,
            token_name TEXT NOT NULL,
            endpoint_name TEXT NOT NULL,
            body TEXT NOT NULL,
            status TEXT NOT NULL,
            started_at TEXT NOT NULL,
            stopped_at TEXT,
            output TEXT NOT NULL,
            error TEXT NOT NULL,
            cause TEXT NOT NULL,
            attempts INTEGER NOT NULL
        )
        """,
        "CREATE INDEX executions_by_status ON executions (status, started_at)",
        "CREATE INDEX executions_by_stop ON executions (stopped_at)",
        """
        CREATE TABLE models (
            name TEXT PRIMARY KEY NOT NULL,
            image TEXT NOT NULL,
            data_url TEXT NOT NULL,
            environment TEXT NOT NULL,
            created_at TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE configs (
            name TEXT PRIMARY KEY NOT NULL,
            variants TEXT NOT NULL,
            created_at TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE endpoints (
            name TEXT PRIMARY KEY NOT NULL,
            config_name TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at TEXT NOT NULL,
            changed_at TEXT NOT NULL,
            failure_reason TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE instances (
            id TEXT PRIMARY KEY NOT NULL,
            endpoint_name TEXT NOT NULL,
            variant_name TEXT NOT NULL,
            started_at TEXT NOT NULL
        )
        """,
    ),
    # The host's records become documents: their forms grow with SageMaker's.
    (
        "ALTER TABLE models RENAME TO old_models",
        "ALTER TABLE configs RENAME TO old_configs",
        "ALTER TABLE endpoints RENAME TO old_endpoints",
        "ALTER TABLE instances RENAME TO old_instances",
        *(
            f"CREATE TABLE {table} ({key} TEXT PRIMARY KEY NOT NULL, content TEXT NOT NULL)"
            for table, key in (
                ("models", "name"),
                ("configs", "name"),
                ("endpoints", "name"),
                ("instances", "id"),
                ("components", "name"),
            )
        ),
        """
        CREATE TABLE tags (
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            tags TEXT NOT NULL,
            PRIMARY KEY (kind, name)
        )
        """,
        # What is damaged is copied as the text it is, for a person to put right.
        """
        INSERT INTO models SELECT name, CASE WHEN json_valid(environment) THEN json_object(
            'name', name, 'created_at', created_at, 'containers', json_array(json_object(
                'image', image, 'data_url', data_url, 'environment', json(environment))))
            ELSE environment END
        FROM old_models
        """,
        """
        INSERT INTO configs SELECT name, CASE WHEN json_valid(variants) THEN json_object(
            'name', name, 'created_at', created_at, 'variants', json(variants))
            ELSE variants END
        FROM old_configs
        """,
        """
        INSERT INTO endpoints SELECT name, json_object(
            'name', name, 'status', status, 'created_at', created_at, 'changed_at', changed_at,
            'failure_reason', failure_reason, 'deployment', json_object(
                'config', (SELECT CASE WHEN json_valid(content) THEN json(content) END
                    FROM configs WHERE configs.name = config_name),
                'models', (SELECT json_group_array(
                        CASE WHEN json_valid(content) THEN json(content) END)
                    FROM models WHERE models.name IN (
                        SELECT json_extract(variant.value, '$.model_name')
                        FROM configs, json_each(configs.content, '$.variants') AS variant
                        WHERE configs.name = config_name AND json_valid(configs.content)))))
        FROM old_endpoints
        """,
        """
        INSERT INTO instances SELECT id, json_object(
            'id', id, 'endpoint_name', endpoint_name, 'variant_name', variant_name,
            'started_at', started_at)
        FROM old_instances
        """,
        "DROP TABLE old_models",
        "DROP TABLE old_configs",
        "DROP TABLE old_endpoints",
        "DROP TABLE old_instances",
    ),
    (
        """
        CREATE TABLE targets (
            endpoint_name TEXT NOT NULL,
            target TEXT NOT NULL,
            pinned INTEGER NOT NULL,
            ttl_minutes REAL,
            PRIMARY KEY (endpoint_name, target)
        )
        """,
    ),
    (
        """
        CREATE TABLE backlog (
            id TEXT PRIMARY KEY NOT NULL,
            received_at TEXT NOT NULL,
            open INTEGER NOT NULL,
            finished_at TEXT,
            content TEXT NOT NULL,
            body BLOB NOT NULL
        )
        """,
        "CREATE INDEX backlog_open ON backlog (received_at, id) WHERE open",
        "CREATE INDEX backlog_finished ON backlog (finished_at) WHERE NOT open",
    ),
    (*LEASES, *UPKEEP, *MONEY, *OUTBOX, *ALARMS),
    (
        *scaletables.BLUEPRINTS,
        *scaletables.LEASES,
        *scaletables.SCALING,
        *scaletables.DEPLOYMENTS,
    ),
    (*projecttables.PROJECTS, *projecttables.ROUTES, *projecttables.TESTERS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a file holds: its mark, its tables, what a commit outlives, and what stays of a row.

    FULL: a power cut; NORMAL: the death of the process, which costs no wait for the disk. What is
    deleted is overwritten where the file may hold secrets.
    """

    application_id: int
    migrations: tuple[tuple[str, ...], ...]
    synchronous: str = "FULL"
    secrets: bool = False


MAIN = Layout(application_id=APPLICATION_ID, migrations=MIGRATIONS, secrets=True)
