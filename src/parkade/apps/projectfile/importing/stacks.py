"""app-config.json: a project of stacks (models archived, served, behind an API, watched, delivered)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from parkade.apps.projectfile.importing.carried import USUAL_IMAGE, Carried
from parkade.apps.projectfile.importing.given import Given
from parkade.domain.cases import FILE as CASES
from parkade.domain.project.part import prefix_of

if TYPE_CHECKING:
    from pathlib import Path

    from parkade.apps.projectfile.importing.carried import Surroundings
    from parkade.apps.projectfile.problem import Place
    from parkade.apps.projectfile.tree import Table
    from parkade.domain.event import Json

#: The archive in a model's local folder.
_ARCHIVE = "model.tar.gz"
_KEY = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_MAIL = re.compile(r"[^@\s<>,;\"\\]{1,64}@[^@\s<>,;\"\\]{1,190}")
_DERIVED = "such names are derived from the content, so that nobody renames by hand"
_STACK = "stacks are called by what they are, see them with: parkade cloud ls"


def is_one(table: Table) -> bool:
    """Tell whether a file is of this form."""
    return {"Project", "Stack"} <= table.entries.keys()


def convert(table: Table, around: Surroundings) -> Carried:
    """Return the project of a file of this form."""
    return _Conversion(Given(table), around).result()


class _Conversion:
    def __init__(self, given: Given, around: Surroundings) -> None:
        self._given = given
        self._around = around
        self._content: dict[str, Json] = {"project": "project"}
        self._prefix = "project"
        self._comments: dict[Place, str] = {}
        self._models: dict[str, Json] = {}
        self._cases = ""
        self._suffix = ""

    def result(self) -> Carried:
        project, stack = self._given.section("Project"), self._given.section("Stack")
        if project is not None:
            self._project(project)
        if stack is not None:
            self._stack(stack)
        # Where it stands differs between versions of the form.
        self._pipeline(self._given)
        self._leave_profile(project)
        self._given.rest()
        return Carried(content=self._content, comments=self._comments, told=self._given.told)

    def _project(self, project: Given) -> None:
        name, stage = project.text("Name"), project.text("Stage")
        self._content["project"] = usable(name) or "project"
        if not name or usable(name) != name:
            project.say("Name", f"written as {self._content['project']}: use letters and digits")
        if stage:
            self._content["stage"] = usable(stage)
        account, region = project.text("Account"), project.text("Region")
        if re.fullmatch(r"\d{12}", account):
            self._content["account"] = account
        elif account:
            project.say("Account", f"not carried over: {account!r} has no 12 digits")
        if region:
            self._content["region"] = region
        if profile := project.text("Profile"):
            self._content["profile"] = profile
        prefix = prefix_of(str(self._content["project"]), str(self._content.get("stage", "")))
        digits = re.match(r"\d{5}", account)
        self._suffix = f"{region}-{digits[0]}" if region and digits else ""
        self._prefix = prefix
        project.rest()

    def _leave_profile(self, project: Given | None) -> None:
        """Leave the profile out of a file that a pipeline reads: there is none where that runs."""
        delivered = self._content.get("pipeline")
        if project is None or not isinstance(delivered, dict) or "repository" not in delivered:
            return
        if self._content.pop("profile", None) is not None:
            project.say("Profile", "not carried over: a pipeline has none; set AWS_PROFILE here")

    def _bucket(self, base: str) -> str:
        """Return what the former called a bucket; empty: account or region are not known."""
        return f"{self._prefix}-{base}-{self._suffix}".lower() if base and self._suffix else ""

    def _stack(self, stack: Given) -> None:
        archiving, serving = stack.section("ModelArchiving"), stack.section("ModelServing")
        paths: dict[str, str] = {}
        bucket = ""
        if archiving is not None:
            bucket = self._bucket(archiving.text("BucketBaseName"))
            for each in archiving.sections("ModelList"):
                paths[each.text("ModelS3Key")] = each.text("ModelLocalPath")
                each.leave("ModelName", _DERIVED)
                each.rest()
            archiving.leave("Name", _STACK)
            archiving.rest()
        if bucket:
            self._content["bucket"] = bucket
        if serving is not None:
            self._serving(serving, paths, bucket)
        self._hosting(stack)
        self._monitor(stack)
        self._tester(stack)
        self._pipeline(stack)
        stack.rest()

    def _serving(self, serving: Given, paths: dict[str, str], bucket: str) -> None:
        variants: list[Json] = []
        for each in serving.sections("ModelList"):
            variants.append(self._variant(each, paths, bucket))
            each.leave("ModelName", _DERIVED)
            each.rest()
        name = usable(serving.text("EndpointName"))
        deploy, captured = serving.flag("Deploy"), serving.text("BucketBaseName")
        serving.leave("EndpointConfigName", _DERIVED)
        serving.leave("Name", _STACK)
        serving.rest()
        if self._models:
            self._content["models"] = self._models
        if not name or not variants:
            serving.say("EndpointName", "no endpoint is made: it takes a name, and a ModelList")
            return
        endpoint: dict[str, Json] = {
            "deploy": True if deploy is None else deploy,
            "variants": variants,
        }
        if captured:
            destination = f"s3://{self._bucket(captured) or f'{self._prefix}-{captured}'.lower()}"
            endpoint["capture"] = {
                "percentage": 100,
                "destination": destination,
                "csv_types": ["text/csv"],
                "json_types": ["application/json"],
            }
        endpoint["lease"] = False
        self._comments["endpoints", name, "lease"] = (
            "As before, it runs until somebody stops it. To put it on the meter: {minutes: 60}"
        )
        self._content["endpoints"] = {name: endpoint}

    def _variant(self, given: Given, paths: dict[str, str], bucket: str) -> Json:
        key = given.text("ModelS3Key")
        name = usable(given.text("VariantName")) or f"Variant-{len(self._models) + 1}"
        model = self._free(name.lower())
        local = given.text("ModelLocalPath") or paths.get(key, "")
        image = given.text("ModelDockerImage")
        settings = self._data(given, model, local, key, bucket)
        settings["image"] = self._around.images.get(model) or image or USUAL_IMAGE
        self._models[model] = settings
        variant: dict[str, Json] = {"name": name, "model": model}
        for theirs, ours in (("VariantWeight", "weight"), ("InstanceCount", "instances")):
            value = given.number(theirs)
            if value is not None:
                variant[ours] = value
        variant["type"] = given.text("InstanceType") or "ml.m5.large"
        scaling = _scaling(given)
        return variant | ({"scaling": scaling} if scaling else {})

    def _data(self, given: Given, model: str, local: str, key: str, bucket: str) -> dict[str, Json]:
        """Return where a model's files are: a folder, an archive, or the object that is there."""
        if model in self._around.folders:
            return {"source": self._around.folders[model]}
        if not local:
            address = (
                f"s3://{bucket or self._prefix.lower() + '-archive'}/{key.strip('/')}/{_ARCHIVE}"
            )
            given.say(
                "ModelS3Key", f"there is no ModelLocalPath, so that it is read from {address}"
            )
            return {"data": address}
        folder = self._around.root / local
        source = folder.parent / "src"
        if (source / "code").is_dir():
            self._notice_cases(folder.parent)
            return {"source": self._around.relative(source)}
        if (folder / "code").is_dir():
            self._notice_cases(folder)
            return {"source": self._around.relative(folder)}
        self._notice_cases(folder.parent)
        archive = folder if local.endswith(".gz") else folder / _ARCHIVE
        return {"archive": self._around.relative(archive)}

    def _notice_cases(self, folder: Path) -> None:
        if not self._cases and (folder / CASES).is_file():
            self._cases = self._around.relative(folder / CASES)

    def _free(self, name: str) -> str:
        """Return a key that no model has yet."""
        number, key = 1, name
        while key in self._models:
            number += 1
            key = f"{name}-{number}"
        return key

    def _hosting(self, stack: Given) -> None:
        hosting = stack.section("APIHosting")
        if hosting is None:
            return
        hosting.leave("Name", _STACK)
        path = hosting.text("ResourceName", "APIResourceName", "ResourcePath").strip("/")
        endpoint = self._endpoint()
        if endpoint:
            route = "/" + (usable(path) or endpoint.lower())
            self._content["routes"] = {route: {"endpoint": endpoint, "auth": "token"}}
            self._comments["routes", route] = "auth: public lets everybody call it."
            hosting.say(
                "Name", f"requests of the API come by {route}, and need a token now (auth: public)"
            )
        hosting.rest()

    def _endpoint(self) -> str:
        endpoints = self._content.get("endpoints")
        return next(iter(endpoints), "") if isinstance(endpoints, dict) else ""

    def _monitor(self, stack: Given) -> None:
        given = stack.section("MonitorDashboard")
        if given is None:
            return
        given.leave("Name", _STACK)
        given.leave("DashboardName", "the project's dashboard is called by the project")
        monitor: dict[str, Json] = {}
        thresholds: dict[str, Json] = {}
        for theirs, ours in (
            ("ApiGatewayOverallCallThreshold", "calls"),
            ("ApiGatewayError4xxCallThreshold", "errors_4xx"),
            ("ApiGatewayError5xxCallThreshold", "errors_5xx"),
        ):
            value = given.number(theirs)
            if value is not None:
                thresholds[ours] = value
        if thresholds:
            monitor["thresholds"] = thresholds
        mails = []
        for mail in given.texts("SubscriptionEmails"):
            if _MAIL.fullmatch(mail) and mail not in mails:
                mails.append(mail)
            else:
                given.say("SubscriptionEmails", f"not carried over: {mail[:60]!r} is no address")
        if mails:
            monitor["subscribers"] = list(mails)
        if monitor:
            self._content["monitor"] = monitor
        given.rest()

    def _tester(self, stack: Given) -> None:
        sections = [
            each for name in ("APITesting", "TesterDashboard") if (each := stack.section(name))
        ]
        if not sections:
            return
        for each in sections:
            each.leave("Name", _STACK)
            each.leave("DashboardName", "the tester's dashboard is called by the project")
        routes = self._content.get("routes")
        route = next(iter(routes), "") if isinstance(routes, dict) else ""
        if route and self._cases:
            self._content["tester"] = {"route": route, "cases": self._cases, "clients": 5}
        else:
            why = f"no model folder has {CASES}" if route else "there is no APIHosting"
            sections[0].say("Name", f"no tester is made: {why}")
        for each in sections:
            each.rest()

    def _pipeline(self, around: Given) -> None:
        given = around.section("CICDPipeline")
        if given is None:
            return
        given.leave("Name", _STACK)
        pipeline: dict[str, Json] = {"branch": given.text("BranchName") or "main"}
        if repository := given.text("RepositoryName"):
            pipeline["repository"] = repository
        self._content["pipeline"] = pipeline
        given.rest()


def _scaling(given: Given) -> dict[str, Json]:
    """Return the scaling of a variant; it is kept where it is switched off."""
    enabled = given.flag("AutoScalingEnable")
    scaling: dict[str, Json] = {"enabled": bool(enabled)}
    for theirs, ours in (
        ("AutoScalingMinCapacity", "least"),
        ("AutoScalingMaxCapacity", "most"),
        ("AutoScalingTargetInvocation", "target"),
    ):
        value = given.number(theirs)
        if value is not None:
            scaling[ours] = value
    if {"most", "target"} <= scaling.keys():
        return scaling
    if enabled:
        given.say(
            "AutoScalingEnable", "not carried over: AutoScalingMaxCapacity or ...Target is missing"
        )
    return {}


def usable(name: str) -> str:
    """Return a name with hyphens in place of what no name may have."""
    found = re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-")[:50].rstrip("-")
    return found if _KEY.fullmatch(found) else ""
