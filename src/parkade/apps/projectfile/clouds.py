"""What a project is on one machine: models of AWS's are played there, left out, or refused.

What refers to a model that is left out is left out with it, and said: nothing is lost silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from parkade.apps.projectfile.models import Embedded, ModelSetting
from parkade.apps.projectfile.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parkade.apps.projectfile.content import Content

_AnyContent = TypeVar("_AnyContent", bound="Content")


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Something of the file that is for AWS alone, and why."""

    noun: str
    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.noun} {self.key}".rstrip() + f": {self.reason}"


def embedded(content: _AnyContent) -> tuple[_AnyContent, tuple[Left, ...]]:
    """Return the content as one machine has it, and what it leaves out.

    Models that it can neither play nor leave out stay, to be refused by name.
    """
    left: list[Left] = []
    models = {}
    for key, model in content.models.items():
        if model.embedded is False:
            left.append(
                Left(noun="model", key=key, reason=f"its {model.aws_alone} is on AWS alone")
            )
        else:
            models[key] = _played(model)
    endpoints = _without(
        content.endpoints,
        "endpoint",
        left,
        {key: (each.model for each in (*it.variants, *it.shadows))
         for key, it in content.endpoints.items()},
        {each.key for each in left},
    )  # fmt: skip
    gone = {each.key for each in left if each.noun == "endpoint"}
    if not left:
        return content.model_copy(update={"models": models}), ()
    routes = _without(
        content.routes, "route", left,
        {path: (it.endpoint,) for path, it in content.routes.items()}, gone,
    )  # fmt: skip
    gone |= {each.key for each in left if each.noun == "route"}
    alarms = _without(
        content.monitor.alarms, "alarm", left,
        {key: filter(None, (it.endpoint, it.route)) for key, it in content.monitor.alarms.items()},
        gone,
    )  # fmt: skip
    changed: dict[str, Any] = {"models": models, "endpoints": endpoints, "routes": routes}
    changed["monitor"] = content.monitor.model_copy(update={"alarms": alarms})
    tester = content.tester
    if tester is not None and {tester.route, tester.endpoint} & gone:
        left.append(
            Left(noun="tester", key="", reason=f"it tests {tester.route or tester.endpoint}")
        )
        changed["tester"] = None
    return content.model_copy(update=changed), tuple(left)


def refused(content: Content) -> list[Problem]:
    """Tell which models one machine refuses by name."""
    return [
        Problem(
            place=("models", key, model.aws_alone),
            message=f"model {key!r}: {model.aws_alone} is on AWS alone",
            hint="say what plays it on one machine, embedded: {source: FOLDER, image: IMAGE}, or "
            "embedded: false to leave it out there",
        )
        for key, model in content.models.items()
        if model.aws_alone and model.embedded is None
    ]


def _played(model: ModelSetting) -> ModelSetting:
    """Return the model that plays another."""
    if not isinstance(model.embedded, Embedded):
        return model
    given = {name: getattr(model.embedded, name) for name in model.embedded.model_fields_set}
    return ModelSetting(**given)


_Setting = TypeVar("_Setting")


def _without(
    settings: Mapping[str, _Setting],
    noun: str,
    left: list[Left],
    referred: Mapping[str, Iterable[str]],
    gone: set[str],
) -> dict[str, _Setting]:
    """Return the settings that refer to nothing that is gone; the others are told in `left`."""
    kept = {}
    for key, setting in settings.items():
        missing = next((each for each in referred[key] if each in gone), None)
        if missing is None:
            kept[key] = setting
        else:
            left.append(Left(noun=noun, key=key, reason=f"{missing} is left out"))
    return kept
