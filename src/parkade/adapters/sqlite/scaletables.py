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
LEASES: tuple[str, ...] = ()
#: Scalable targets, their policies, scheduled actions and activities.
SCALING: tuple[str, ...] = ()
#: Deployments and their steps.
DEPLOYMENTS: tuple[str, ...] = ()
