"""What a project is on each cloud.

On one machine, models of AWS's are played, left out, or refused; what refers to a model that is left
out is left out with it, and said: nothing is lost silently. On AWS everything is kept, and what only
one machine can do is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from parkade.apps.projectfile.models import BuiltImage, Embedded, ModelSetting
from parkade.apps.projectfile.problem import Problem
from parkade.apps.projectfile.references import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from parkade.apps.projectfile.content import Content
    from parkade.apps.projectfile.models import Data
    from parkade.apps.projectfile.problem import Place
    from parkade.apps.projectfile.routes import RouteSetting

#: Seconds that API Gateway waits for an integration, at most.
GATEWAY_SECONDS = 29
#: An image that is pulled from somewhere: a host, and what it has there.
_REGISTRY = re.compile(r"^[a-z0-9][a-z0-9.\-]*\.[a-z0-9.\-]+(:\d+)?/\S+$")
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
    models = [
        Problem(
            place=("models", key, *model.aws_alone.split(".")),
            message=f"model {key!r}: {model.aws_alone} is on AWS alone",
            hint="say what plays it on one machine, embedded: {source: FOLDER, image: IMAGE}, or "
            "embedded: false to leave it out there",
        )
        for key, model in content.models.items()
        if model.aws_alone and model.embedded is None
    ]
    routes = [
        Problem(
            place=("routes", path, "kind"),
            message=f"route {path}: executions of its own are on AWS alone",
            hint="POST /startexecution does the same on one machine; or give kind in a stage's "
            "overlay",
        )
        for path, route in content.routes.items()
        if route.kind == "execution"
    ]
    return [*models, *routes]


def refused_on_aws(content: Content) -> list[Problem]:
    """Tell what AWS refuses: what only one machine has, and secrets that a template would show."""
    return [
        *(each for key, model in content.models.items() for each in _model_on_aws(key, model)),
        *(
            each
            for path, route in content.routes.items()
            for each in (*_route_on_aws(path, route), *_led_astray(content, path, route))
        ),
    ]


def _model_on_aws(key: str, model: ModelSetting) -> Iterator[Problem]:
    containers: list[tuple[Place, Data]] = [(("models", key), model)]
    containers += [
        (("models", key, "containers", number), each)
        for number, each in enumerate(model.containers or ())
    ]
    for place, each in containers:
        image = getattr(each, "image", None)
        if isinstance(image, BuiltImage):
            yield Problem(
                place=(*place, "image", "folder"),
                message=f"the image of model {key!r} is built by its stack, and not here",
                hint="deploy it with: parkade cloud deploy; or give the address of an image",
            )
        elif image is not None and not _REGISTRY.match(image):
            yield Problem(
                place=(*place, "image"),
                message=f"image {image!r} is not the address of a container image",
                hint="name one of ECR: 763104351884.dkr.ecr.us-east-1.amazonaws.com/NAME:TAG",
            )
        for name, value in each.environment.items():
            if isinstance(value, Reference) and value.aws_secret is None:
                yield Problem(
                    place=(*place, "environment", name),
                    message=f"{value} would stand readable in the stack's template",
                    hint="keep it in AWS Secrets Manager, and give {aws_secret: ARN} at this stage",
                )


def _led_astray(content: Content, path: str, route: RouteSetting) -> Iterator[Problem]:
    """Tell of a route that invokes an asynchronous endpoint as if it answered at once."""
    endpoint = content.endpoints.get(route.endpoint)
    if endpoint is not None and endpoint.asynchronous is not None and route.kind != "direct":
        yield Problem(
            place=("routes", path, "kind"),
            message=f"endpoint {route.endpoint!r} is asynchronous, and SageMaker takes no request "
            "for it that is to be answered at once",
            hint="give kind: direct, and send X-Amzn-SageMaker-InputLocation",
        )


def _route_on_aws(path: str, route: RouteSetting) -> Iterator[Problem]:
    place: Place = ("routes", path)
    if route.sticky is not None:
        yield Problem(
            place=(*place, "sticky"),
            message="API Gateway does not remember who met which variant",
            hint="leave sticky out at this stage; callers can name the variant themselves",
        )
    if route.kind == "direct" and route.timeout_seconds is not None:
        yield Problem(
            place=(*place, "timeout_seconds"),
            message="a direct route has the time that the model has, at most 29 seconds",
            hint="leave timeout_seconds out, or give kind: lambda",
        )
    if route.kind == "lambda" and (route.timeout_seconds or 0) > GATEWAY_SECONDS:
        yield Problem(
            place=(*place, "timeout_seconds"),
            message=f"{route.timeout_seconds:g} s is more than the {GATEWAY_SECONDS} s that API "
            "Gateway waits",
            hint="give kind: execution, which answers later",
        )
    if route.kind == "execution" and route.auth == "public":
        yield Problem(
            place=(*place, "auth"),
            message="an execution is read by the token that began it, and nobody else",
            hint="leave auth out, or give another kind",
        )


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
