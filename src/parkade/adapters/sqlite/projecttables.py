"""The tables that came with the serving project; a part of schema.py."""

from __future__ import annotations

#: Projects, and the applications that make them what their files say.
PROJECTS: tuple[str, ...] = (
    """
    CREATE TABLE projects (
        prefix TEXT PRIMARY KEY NOT NULL,
        wanted TEXT,
        applied TEXT,
        former TEXT,
        content TEXT NOT NULL
    )
    """,
    # What rows name by its digest: large, and the same in many of them.
    """
    CREATE TABLE project_documents (
        digest TEXT PRIMARY KEY NOT NULL,
        content TEXT NOT NULL
    )
    """,
    # Each part is of one project, whoever writes.
    """
    CREATE TABLE project_parts (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        prefix TEXT NOT NULL,
        PRIMARY KEY (kind, name)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX project_parts_by_prefix ON project_parts (prefix)",
    # Applications outlive their project.
    """
    CREATE TABLE applications (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT UNIQUE NOT NULL,
        prefix TEXT NOT NULL,
        status TEXT NOT NULL,
        project TEXT,
        content TEXT NOT NULL
    )
    """,
    "CREATE INDEX applications_by_prefix ON applications (prefix, number)",
    "CREATE INDEX applications_by_project ON applications (project) WHERE project IS NOT NULL",
    """
    CREATE UNIQUE INDEX applications_running ON applications (prefix)
    WHERE status = 'running'
    """,
)
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
TESTERS: tuple[str, ...] = (
    "CREATE TABLE testers (name TEXT PRIMARY KEY NOT NULL, content TEXT NOT NULL)",
)
