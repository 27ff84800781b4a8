"""The tables that came with the serving project; a part of schema.py."""

from __future__ import annotations

#: Projects, and the applications that make them what their files say.
PROJECTS: tuple[str, ...] = ()
#: What routes have got since.
ROUTES: tuple[str, ...] = (
    "ALTER TABLE routes ADD COLUMN per_second REAL",
    "ALTER TABLE routes ADD COLUMN burst INTEGER",
    "ALTER TABLE routes ADD COLUMN timeout_seconds REAL",
    "ALTER TABLE routes ADD COLUMN sticky_mark TEXT",
    "ALTER TABLE routes ADD COLUMN sticky_name TEXT",
    "ALTER TABLE routes ADD COLUMN project TEXT NOT NULL DEFAULT ''",
)
#: Testers that run by a schedule, and what they found.
TESTERS: tuple[str, ...] = ()
