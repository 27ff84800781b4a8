"""configs.json of an endpoint manager: JumpStart models on leases, behind an API with tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.projectfile.importing.carried import USUAL_IMAGE, Carried
from parkade.apps.projectfile.importing.given import Given
from parkade.apps.projectfile.importing.stacks import usable
from parkade.domain.names import RESERVED_ROUTES

if TYPE_CHECKING:
    from parkade.apps.projectfile.importing.carried import Surroundings
    from parkade.apps.projectfile.problem import Place
    from parkade.apps.projectfile.tree import Table
    from parkade.domain.event import Json

_TYPES = ("realtime", "async")
_INTEGRATIONS = ("lambda", "api")


def is_one(table: Table) -> bool:
    """Tell whether a file is of this form."""
    return {"project_prefix", "jumpstart_models"} <= table.entries.keys()


def convert(table: Table, around: Surroundings) -> Carried:
    """Return the project of a file of this form."""
    return _Conversion(Given(table), around).result()


class _Conversion:
    def __init__(self, given: Given, around: Surroundings) -> None:
        self._given = given
        self._around = around
        self._comments: dict[Place, str] = {}
        self._models: dict[str, Json] = {}
        self._endpoints: dict[str, Json] = {}
        self._routes: dict[str, Json] = {}
        self._project = ""

    def result(self) -> Carried:
        given = self._given
        prefix = given.text("project_prefix")
        self._project = usable(prefix) or "project"
        if self._project != prefix:
            given.say("project_prefix", f"written as {self._project}: use letters and digits")
        content: dict[str, Json] = {"project": self._project}
        if region := given.text("region_name"):
            content["region"] = region
        given.leave(
            "ddb_auth_table_name", "tokens are the server's: parkade token create --name NAME"
        )
        for each in given.sections("jumpstart_models"):
            self._model(each)
            each.rest()
        given.rest()
        content |= {"models": self._models, "endpoints": self._endpoints}
        if self._routes:
            content["routes"] = self._routes
        return Carried(content=content, comments=self._comments, told=given.told)

    def _model(self, given: Given) -> None:
        name = usable(given.text("name"))
        if not name or name in self._models:
            why = f"there is a {name} already" if name else "it has no usable name"
            given.say("name", f"this model is not carried over: {why}")
            return
        self._models[name] = self._played(given, name)
        variant: dict[str, Json] = {
            "model": name,
            "instances": given.number("inference_instance_count") or 1,
            "type": given.text("inference_instance_type") or "ml.m5.large",
        }
        endpoint: dict[str, Json] = {"variants": [variant]}
        key = f"{name}-Endpoint"
        self._terms(given, key, endpoint)
        self._endpoints[key] = endpoint
        self._route(given, name, key, asynchronous="async" in endpoint)

    def _played(self, given: Given, name: str) -> Json:
        """Return a model, with what plays it on one machine."""
        model: dict[str, Json] = {"jumpstart": given.text("model_id") or name}
        place: Place = ("models", name)
        folder = self._around.folders.get(name)
        if folder is None:
            model["embedded"] = False
            self._comments[*place, "embedded"] = (
                "JumpStart is on AWS alone. To serve it on one machine too, say what plays it:\n"
                f"embedded: {{source: FOLDER, image: {USUAL_IMAGE}}}"
            )
            given.say(
                "model_id",
                "JumpStart is on AWS alone: on one machine the model is left out, with its "
                f"endpoint and route. To run it there: --model {name}=FOLDER",
            )
        else:
            image = self._around.images.get(name, USUAL_IMAGE)
            model["embedded"] = {"source": folder, "image": image}
        return model

    def _terms(self, given: Given, key: str, endpoint: dict[str, Json]) -> None:
        kind = given.text("inference_type") or "realtime"
        if kind not in _TYPES:
            given.say("inference_type", f"taken as realtime: {kind[:60]!r} is none of {_TYPES}")
        if kind == "async":
            output = f"s3://{self._project.lower()}-archive/async/{key}"
            endpoint["async"] = {"output": output}
            given.say("inference_type", f"answers are written below {output}: change it at will")
        schedule = given.section("schedule")
        minutes = schedule.number("initial_provision_minutes") if schedule else None
        if schedule is not None:
            schedule.rest()
        if minutes is not None and minutes > 0:
            endpoint["lease"] = {"minutes": minutes}
            return
        endpoint["lease"] = False
        self._comments["endpoints", key, "lease"] = (
            "As before, it runs until somebody stops it. To put it on the meter: {minutes: 60}"
        )
        if minutes is not None and schedule is not None:
            schedule.say(
                "initial_provision_minutes", f"not carried over: {minutes:g} is not above 0"
            )

    def _route(self, given: Given, name: str, endpoint: str, *, asynchronous: bool) -> None:
        public, integration = given.flag("public"), given.section("integration")
        path = ""
        if integration is not None:
            kind = integration.text("type")
            if kind and kind not in _INTEGRATIONS:
                integration.say("type", f"taken as api: {kind[:60]!r} is none of {_INTEGRATIONS}")
            properties = integration.section("properties")
            if properties is not None:
                path = usable(properties.text("api_resource_name"))
                properties.leave(
                    "lambda_src",
                    "a route passes requests and answers on as they are; what that code changes "
                    "belongs into the model's own",
                )
                properties.rest()
            integration.rest()
        elif public is None:
            return
        path = path or name.lower()
        if path in RESERVED_ROUTES:
            given.say(
                "integration", f"the route /{path} is Parkade's own: it is /{path}-model here"
            )
            path = f"{path}-model"
        if f"/{path}" in self._routes:
            given.say("integration", f"the route /{path} is there already, and leads elsewhere")
            return
        route: dict[str, Json] = {"endpoint": endpoint, "auth": "public" if public else "token"}
        if asynchronous:
            # SageMaker takes no other request for it.
            route["kind"] = "direct"
        self._routes[f"/{path}"] = route
        if public:
            given.say("public", f"everybody may call /{path}; auth: token asks for a token")
