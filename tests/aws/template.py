"""A synthesized assembly, read and resolved: what each resource would be made with.

CloudFormation's functions are evaluated here as CloudFormation evaluates them; names and ARNs are
those that it would give, or those that a stand-in gave when it made the resource (`Stack.known`).
Whatever is not understood raises `Unresolved` with the place, so that no test passes for want of a
value.

    assembly = Assembly(folder, account="000000000000", region="us-east-1")
    for resource in assembly.resources("AWS::Lambda::Function"):
        resource.properties["Handler"]
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tests.aws.physical import Unresolved, attribute, reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_SUBSTITUTION = re.compile(r"\$\{([^!}][^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:ssm:([^:}]+)(?::\d+)?\}\}")
_SSM_VALUE = "AWS::SSM::Parameter::Value<"
#: What a resource is left out as where its condition is false.
_NOTHING = object()


#: Functions of values alone.
_PLAIN: dict[str, Callable[[Any], Any]] = {
    "Join": lambda given: given[0].join(str(each) for each in given[1]),
    "Select": lambda given: given[1][int(given[0])],
    "Split": lambda given: given[1].split(given[0]),
    "Equals": lambda given: given[0] == given[1],
    "Not": lambda given: not given[0],
    "And": all,
    "Or": any,
    "Base64": lambda given: base64.b64encode(str(given).encode()).decode(),
    "ToJsonString": json.dumps,
    "Length": len,
}


@dataclass(frozen=True)
class Resource:
    """One resource of a stack."""

    stack: Stack
    id: str
    raw: Mapping[str, Any]

    @property
    def type(self) -> str:
        return str(self.raw["Type"])

    @cached_property
    def properties(self) -> dict[str, Any]:
        """Its properties with everything resolved, by what is known at the first time of asking."""
        found = self.stack.value(self.raw.get("Properties", {}), f"{self.stack.name}/{self.id}")
        assert isinstance(found, dict)
        return found

    @property
    def path(self) -> str:
        """Where it is in the tree of constructs."""
        return str(self.raw.get("Metadata", {}).get("aws:cdk:path", self.id))

    @property
    def ref(self) -> str:
        return self.stack.ref(self.id)

    def get(self, name: str) -> Any:
        return self.stack.attribute(self.id, name)


class Stack:
    """One template, with the values that its resources have."""

    def __init__(self, assembly: Assembly, name: str, template: Mapping[str, Any]) -> None:
        self.assembly = assembly
        self.name = name
        self.template = template
        #: What stand-ins gave: {(logical id, attribute or "Ref"): value}.
        self.known: dict[tuple[str, str], Any] = {}

    @cached_property
    def resources(self) -> dict[str, Resource]:
        found = self.template.get("Resources", {})
        return {
            name: Resource(self, name, raw)
            for name, raw in found.items()
            if "Condition" not in raw or self.condition(raw["Condition"])
        }

    def ref(self, name: str) -> Any:
        """Return what Ref gives: a pseudo parameter, a parameter, or a resource's."""
        pseudo = {
            "AWS::AccountId": self.assembly.account,
            "AWS::Region": self.assembly.region,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self.name,
            "AWS::StackId": self.assembly.arn("cloudformation", f"stack/{self.name}/0"),
            "AWS::NotificationARNs": [],
            "AWS::NoValue": _NOTHING,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.template.get("Parameters", {}):
            return self._parameter(name)
        if (name, "Ref") in self.known:
            return self.known[name, "Ref"]
        return reference(self._resource(name))

    def attribute(self, name: str, of: str) -> Any:
        """Return what Fn::GetAtt gives."""
        if (name, of) in self.known:
            return self.known[name, of]
        return attribute(self._resource(name), of)

    def _resource(self, name: str) -> Resource:
        if name not in self.resources:
            raise Unresolved(f"{self.name} has no resource {name}")
        return self.resources[name]

    def _parameter(self, name: str) -> Any:
        declared = self.template["Parameters"][name]
        given = self.assembly.given.get(f"{self.name}:{name}", declared.get("Default"))
        if given is None:
            raise Unresolved(f"{self.name}: parameter {name} has no default and is not given")
        if str(declared["Type"]).startswith(_SSM_VALUE):
            return self.assembly.parameter(str(given))
        return given

    def condition(self, name: str) -> bool:
        return bool(self.value(self.template["Conditions"][name], f"{self.name}/{name}"))

    def outputs(self) -> dict[str, Any]:
        found = self.template.get("Outputs", {})
        return {name: self.value(raw["Value"], name) for name, raw in found.items()}

    # -- values ------------------------------------------------------------------------------

    def value(self, raw: Any, where: str = "") -> Any:
        """Return the value of an expression; members that are AWS::NoValue are left out."""
        if isinstance(raw, list):
            found = [self.value(each, where) for each in raw]
            return [each for each in found if each is not _NOTHING]
        if isinstance(raw, str):
            return _DYNAMIC.sub(lambda match: str(self.assembly.parameter(match[1])), raw)
        if not isinstance(raw, dict):
            return raw
        if len(raw) == 1:
            ((name, given),) = raw.items()
            if name == "Ref":
                return self.ref(given)
            if name == "Condition" and isinstance(given, str):
                return self.condition(given)
            if name.startswith("Fn::"):
                return self._function(name.removeprefix("Fn::"), given, where)
        found = {name: self.value(each, f"{where}/{name}") for name, each in raw.items()}
        return {name: each for name, each in found.items() if each is not _NOTHING}

    def _function(self, name: str, given: Any, where: str) -> Any:
        if name == "GetAtt":
            of, wanted = given.split(".", 1) if isinstance(given, str) else given
            return self.attribute(of, wanted)
        if name == "If":
            return self.value(given[1 if self.condition(given[0]) else 2], where)
        if name == "Sub":
            return self._substituted(given, where)
        if name == "Transform":
            raise Unresolved(f"{where}: Fn::Transform is run by CloudFormation alone")
        return self._plain(name, self.value(given, where), where)

    def _plain(self, name: str, given: Any, where: str) -> Any:
        """Evaluate a function of values alone."""
        if name == "ImportValue":
            return self.assembly.exported(given)
        if name == "FindInMap":
            return self.template["Mappings"][given[0]][given[1]][given[2]]
        if name not in _PLAIN:
            raise Unresolved(f"{where}: Fn::{name} is not evaluated here")
        return _PLAIN[name](given)

    def _substituted(self, given: Any, where: str) -> str:
        text, own = (given, {}) if isinstance(given, str) else given

        def put(match: re.Match[str]) -> str:
            name = match[1]
            if name in own:
                return str(self.value(own[name], where))
            if "." in name:
                return str(self.attribute(*name.split(".", 1)))
            return str(self.ref(name))

        return _SUBSTITUTION.sub(put, text).replace("${!", "${")


class Assembly:
    """Everything that one synthesis made."""

    def __init__(
        self,
        folder: Path,
        *,
        account: str,
        region: str,
        given: Mapping[str, Any] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.account = account
        self.region = region
        #: Parameters of stacks that have no default, by "stack:parameter".
        self.given = dict(given or {})
        #: Values in the parameter store that no stack puts there.
        self._outside = dict(parameters or {})
        manifest = json.loads((folder / "manifest.json").read_text())
        artifacts = manifest["artifacts"]
        self.stacks: dict[str, Stack] = {}
        for name in _in_order(artifacts):
            artifact = artifacts[name]
            template = json.loads((folder / artifact["properties"]["templateFile"]).read_text())
            stack = artifact["properties"].get("stackName", name)
            self.stacks[stack] = Stack(self, stack, template)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def resources(self, *types: str) -> Iterator[Resource]:
        """Give the resources of these types, stacks in the order in which they are deployed."""
        for stack in self.stacks.values():
            for resource in stack.resources.values():
                if not types or resource.type in types:
                    yield resource

    def exported(self, name: str) -> Any:
        for stack in self.stacks.values():
            for output in stack.template.get("Outputs", {}).values():
                told = output.get("Export", {}).get("Name")
                if told is not None and stack.value(told) == name:
                    return stack.value(output["Value"])
        raise Unresolved(f"no stack exports {name}")

    def parameter(self, name: str) -> str:
        """Return a value of the parameter store: of a stack, or given from outside."""
        if name in self._outside:
            return self._outside[name]
        for resource in self.resources("AWS::SSM::Parameter"):
            if resource.stack.value(resource.raw["Properties"].get("Name")) == name:
                return str(resource.stack.value(resource.raw["Properties"]["Value"]))
        raise Unresolved(f"no stack puts {name} into the parameter store")

    def asset(self, key: str) -> Path:
        """Return the file or folder that an object key of the asset bucket was published from."""
        found = self._assets.get(key)
        if found is None:
            raise Unresolved(f"no asset is published as {key}")
        return found

    def published(self) -> Iterator[tuple[str, str, Path]]:
        """Give the assets that are files, templates aside: bucket, key, and the file."""
        for file in sorted(self.folder.glob("*.assets.json")):
            for asset in json.loads(file.read_text()).get("files", {}).values():
                path = self.folder / asset["source"]["path"]
                if asset["source"]["packaging"] != "file" or path.name.endswith(".template.json"):
                    continue
                for to in asset["destinations"].values():
                    bucket = to["bucketName"].replace("${AWS::AccountId}", self.account)
                    yield bucket.replace("${AWS::Region}", self.region), to["objectKey"], path

    @cached_property
    def _assets(self) -> dict[str, Path]:
        found = {}
        for file in sorted(self.folder.glob("*.assets.json")):
            for asset in json.loads(file.read_text()).get("files", {}).values():
                for destination in asset["destinations"].values():
                    found[destination["objectKey"]] = self.folder / asset["source"]["path"]
        return found


def _in_order(artifacts: Mapping[str, Any]) -> list[str]:
    """Return the names of the stacks, each after those that it depends on."""
    found: list[str] = []

    def visit(name: str) -> None:
        artifact = artifacts.get(name, {})
        if artifact.get("type") != "aws:cloudformation:stack" or name in found:
            return
        for other in artifact.get("dependencies", []):
            visit(other)
        found.append(name)

    for name in artifacts:
        visit(name)
    return found
