"""The server's settings inside a function, without the forms that check them.

They were checked when the function was deployed. What they leave out has the default of the forms,
which is packaged beside this module: importing pydantic and making the forms would take half as
long as all else that a cold start does.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

from parkade.apps import habits
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from parkade.apps.serverfile import ServerFile
    from parkade.domain.budget import Budget
    from parkade.domain.idle import IdleRules
    from parkade.domain.lease import LeaseRules

#: Beside this module; made by packaging.py.
DEFAULTS, ROLES = "defaults.json", "roles.json"
#: Settings whose keys are people's own, so that they are no sections.
_OPEN = frozenset({"images", "topics", "prices"})


class _Section:
    """A section: its settings by their names."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        vars(self).update(content)


class _Maintain(_Section):
    def rules(self) -> IdleRules:
        return habits.idle_rules(self)


class _Money(_Section):
    def own_prices(self) -> dict[str, Decimal]:
        return habits.own_prices(self)

    def budget_of(self, owner: str) -> Budget | None:
        return habits.budget_of(self, owner)


class _File(_Section):
    def lease_rules(self) -> LeaseRules:
        return habits.lease_rules(self)


_FORMS: Mapping[str, type[_Section]] = {"maintain": _Maintain, "money": _Money}


def read(content: Mapping[str, Any]) -> ServerFile:
    """Return the settings, as whoever takes a server's file finds them there.

    Raises InvalidInput for a setting that there is none of: another version deployed it.
    """
    found = _merged(packaged(DEFAULTS), content, "")
    sections = {
        name: _section(name, value) if name not in _OPEN else value for name, value in found.items()
    }
    return cast("ServerFile", _File(sections))


def packaged(name: str) -> dict[str, Any]:
    """Return a file that is packaged beside this module."""
    text = resources.files(__package__).joinpath("packaged", name).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def _section(name: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    form = _FORMS.get(name, _Section)
    return form(
        {key: inner if key in _OPEN else _section(key, inner) for key, inner in value.items()}
    )


def _merged(defaults: Mapping[str, Any], content: Mapping[str, Any], place: str) -> dict[str, Any]:
    unknown = sorted(content.keys() - defaults.keys())
    if unknown:
        raise InvalidInput(
            f"PARKADE_SETTINGS has a setting {place}{unknown[0]}, which this version has not",
            field="PARKADE_SETTINGS",
            hint="deploy code and settings together: parkade cloud deploy",
        )
    return {
        name: _merged(default, content[name], f"{place}{name}.")
        if isinstance(default, dict) and name not in _OPEN and isinstance(content.get(name), dict)
        else content.get(name, default)
        for name, default in defaults.items()
    }
