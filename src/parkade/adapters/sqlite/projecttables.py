"""The tables that came with the serving project; a part of schema.py."""

from __future__ import annotations

#: Projects, and the applications that make them what their files say.
PROJECTS: tuple[str, ...] = ()
#: What routes have got since.
ROUTES: tuple[str, ...] = ()
#: Testers that run by a schedule, and what they found.
TESTERS: tuple[str, ...] = ()
