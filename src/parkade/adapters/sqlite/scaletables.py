"""The tables that came with the deployer, the autoscaler and sleep; a part of schema.py."""

from __future__ import annotations

#: What an endpoint runs is its blueprint; a deployment is what the deployer does. What is damaged
#: stays the text it is, for a person to put right.
BLUEPRINTS: tuple[str, ...] = tuple(
    f"""
    UPDATE {table} SET content = json_set(
        json_remove(content, '$.deployment'),
        '$.blueprint', json(json_extract(content, '$.deployment')))
    WHERE json_valid(content) AND json_type(content, '$.deployment') = 'object'
    """  # noqa: S608  of the two names below
    for table in ("endpoints", "remains")
)
#: What leases have got since.
LEASES: tuple[str, ...] = (
    "ALTER TABLE leases ADD COLUMN asleep_at TEXT",
    "ALTER TABLE leases ADD COLUMN paused_at TEXT",
    "ALTER TABLE leases ADD COLUMN wanted_at TEXT",
    "ALTER TABLE leases ADD COLUMN woken INTEGER NOT NULL DEFAULT 0",
    """
    UPDATE coins SET lease = json_set(lease, '$.asleep_at', NULL, '$.paused_at', NULL,
        '$.wanted_at', NULL, '$.woken', 0) WHERE json_valid(lease)
    """,
)
#: Scalable targets, their policies, scheduled actions and activities.
SCALING: tuple[str, ...] = (
    "CREATE TABLE scalable_targets (key TEXT PRIMARY KEY NOT NULL, content TEXT NOT NULL)",
    *(
        f"""
        CREATE TABLE {table} (
            key TEXT PRIMARY KEY NOT NULL,
            resource TEXT NOT NULL REFERENCES scalable_targets ON DELETE CASCADE,
            content TEXT NOT NULL
        )
        """
        for table in ("scaling_policies", "scheduled_actions", "scaling_progress")
    ),
    "CREATE INDEX scaling_policies_by_resource ON scaling_policies (resource)",
    "CREATE INDEX scheduled_actions_by_resource ON scheduled_actions (resource)",
    # Activities outlive their target.
    """
    CREATE TABLE scaling_activities (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT UNIQUE NOT NULL,
        resource TEXT NOT NULL,
        started_at TEXT NOT NULL,
        content TEXT NOT NULL
    )
    """,
    "CREATE INDEX scaling_activities_by_resource ON scaling_activities (resource, number)",
    "CREATE INDEX scaling_activities_by_start ON scaling_activities (started_at)",
)
#: Deployments and their steps.
DEPLOYMENTS: tuple[str, ...] = (
    """
    CREATE TABLE deployments (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT UNIQUE NOT NULL,
        endpoint_name TEXT NOT NULL,
        status TEXT NOT NULL,
        content TEXT NOT NULL
    )
    """,
    "CREATE INDEX deployments_by_endpoint ON deployments (endpoint_name, number)",
    # Of one endpoint one is running at a time, whoever writes.
    """
    CREATE UNIQUE INDEX deployments_running ON deployments (endpoint_name)
    WHERE status = 'running'
    """,
)
