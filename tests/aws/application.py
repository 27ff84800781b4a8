"""The synthesized application, running: everything that its templates describe, on this machine.

    with Application(assembly, folder) as running:
        running.deploy()
        httpx.get(f"{running.gateway.url}/endpoint-expiry", headers=...)

`docs/design/awsharness.md` says what stands for what.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from tests.aws import provisioning
from tests.aws.clock import SetClock
from tests.aws.clockwork import Rules, Stream
from tests.aws.composites import Composites, as_here
from tests.aws.functions import specs
from tests.aws.gateway import Gateway
from tests.aws.integrations import Surroundings
from tests.aws.machines import Machine, Machines, TaskFailed
from tests.aws.physical import name_of
from tests.aws.restapi import RestApi
from tests.aws.runtime_api import Answer, Function, Spec
from tests.aws.standins import Standins, arn
from tests.aws.switchboard import Switchboard, described
from tests.aws.tasks import Tasks
from tests.aws.template import Unresolved
from tests.aws.waiting import PATIENCE, wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.aws.machines import Execution
    from tests.aws.template import Assembly, Resource


class CustomFailed(Exception):
    """A custom resource could not be made or deleted."""


class Application:
    """An assembly in the state of having been deployed, after `deploy`."""

    def __init__(self, assembly: Assembly, folder: Path) -> None:
        self.assembly = assembly
        self.folder = folder
        self._open = ExitStack()
        self._custom: dict[str, Mapping[str, Any]] = {}
        self._told = threading.Condition()
        self._executions = threading.Lock()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self._open = opening
            self._start(opening)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _start(self, opening: ExitStack) -> None:
        (self.folder / "clock").touch()
        self.clock = SetClock(self.folder / "clock")
        opening.callback(self.clock.close)
        board = Switchboard()
        opening.callback(board.close)
        board.behind = self
        self._board = board
        topics = [name_of(each) for each in self.assembly.resources("AWS::SNS::Topic")]
        self.standins = Standins(self.folder, self.clock, board.url, topics)
        opening.callback(self.standins.close)
        self.composites = Composites(self.standins, self.happened)
        provisioning.provision(self.assembly, self.standins, board.url)
        self.functions: dict[str, Function] = {}
        for spec in specs(self.assembly):
            function = Function(spec, self._surroundings, self._bury)
            self.functions[spec.name] = function
            opening.callback(function.close)
        self.tasks = Tasks(self.standins, self)
        opening.callback(self.tasks.close)
        self.machines = Machines(self.clock, self.tasks.do)
        opening.callback(self.machines.close)
        rules = list(self.assembly.resources("AWS::Events::Rule"))
        self.rules = Rules(rules, self.clock, self._give)
        opening.callback(self.rules.disarm)

    # -- deploying ---------------------------------------------------------------------------

    def deploy(self, *stacks: str) -> None:
        """Make what does something when it is made, stacks (by the ends of their names) in order."""
        for stack in self.assembly.stacks.values():
            if stacks and not stack.name.endswith(stacks):
                continue
            for resource in provisioning.in_order(stack):
                if not provisioning.make(resource, self.standins) and self._is_custom(resource):
                    self.custom_resource(resource, "Create")
        for mapping in self.assembly.resources("AWS::Lambda::EventSourceMapping"):
            properties = mapping.properties
            if ":dynamodb:" in properties["EventSourceArn"]:
                function = self.function(properties["FunctionName"])
                client = self.standins.client("dynamodbstreams")
                stream = Stream(properties, function, client)
                self._open.callback(stream.close)
                self.streams.append(stream)

    @cached_property
    def streams(self) -> list[Stream]:
        return []

    def custom_resource(self, resource: Resource, request: str) -> Mapping[str, Any]:
        """Have a custom resource's function make or delete it. Raises CustomFailed."""
        number = str(uuid.uuid4())
        properties = {name: _text(value) for name, value in resource.properties.items()}
        event = {
            "RequestType": request,
            "RequestId": number,
            "ResponseURL": f"{self._board.url}/custom/{number}",
            "StackId": resource.stack.ref("AWS::StackId"),
            "LogicalResourceId": resource.id,
            "ResourceType": resource.type,
            "ResourceProperties": properties,
        }
        if request != "Create":
            event["PhysicalResourceId"] = resource.ref
        function = self.function(resource.properties["ServiceToken"])
        answer = function.invoke(event)
        with self._told:
            told = self._told.wait_for(lambda: number in self._custom, PATIENCE)
        if not told:
            raise CustomFailed(f"{resource.path} was not answered: {answer.payload.decode()}")
        found = self._custom[number]
        if found["Status"] != "SUCCESS":
            raise CustomFailed(f"{resource.path}: {found.get('Reason')}")
        resource.stack.known[resource.id, "Ref"] = found["PhysicalResourceId"]
        for name, value in found.get("Data", {}).items():
            resource.stack.known[resource.id, name] = value
        return found

    def destroy(self, *stacks: str) -> None:
        """Delete the custom resources of stacks, last first, as CloudFormation does."""
        for stack in reversed(self.assembly.stacks.values()):
            if stacks and not stack.name.endswith(stacks):
                continue
            for resource in reversed(list(provisioning.in_order(stack))):
                if self._is_custom(resource):
                    self.custom_resource(resource, "Delete")

    # -- what there is -----------------------------------------------------------------------

    @cached_property
    def gateway(self) -> Gateway:
        (api,) = self.assembly.resources("AWS::ApiGateway::RestApi")
        around = Surroundings(invoke=self._invoked, call=self.tasks.call)
        made = Gateway(RestApi(self.assembly, api), around, self.clock)
        self._open.callback(made.close)
        return made

    def function(self, name: str) -> Function:
        """Return a function by its name or ARN, whichever version is meant."""
        parts = name.split(":")
        plain = parts[6] if name.startswith("arn:") else parts[0]
        return self.functions[plain]

    def by_handler(self, handler: str) -> Function:
        """Return the one function that has this handler, by the name of its module."""
        (found,) = [
            each
            for each in self.functions.values()
            if each.spec.handler == f"parkade.apps.lambdas.{handler}.handler"
        ]
        return found

    def machine(self, name: str) -> Machine:
        """Return a machine by its ARN, or by the end of its name."""
        for resource in self.assembly.resources("AWS::StepFunctions::StateMachine"):
            if resource.ref == name or name_of(resource).endswith(name):
                return _machine(resource)
        raise Unresolved(f"there is no state machine {name}")

    def topic(self, arn: str) -> Resource:
        (found,) = [each for each in self.assembly.resources("AWS::SNS::Topic") if each.ref == arn]
        return found

    def notices(self, topic: Resource, count: int = 1) -> list[dict[str, Any]]:
        """Return the next messages that a topic published, once there are so many."""
        url = topic.stack.known[topic.id, "Inbox"]
        sqs, found = self.standins.client("sqs"), []

        def enough() -> bool:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            for each in answer.get("Messages", ()):
                found.append(json.loads(each["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
            return len(found) >= count

        wait_for(enough, why=f"{count} messages of {topic.path}")
        return found

    def settle(self) -> None:
        """Return once nothing is under way that nobody waits for."""
        for each in self.streams:
            each.settle()
        for function in self.functions.values():
            function.settle()

    def quiet(self) -> None:
        """Return once nothing happens by itself: nothing is under way, nor on its way."""
        wait_for(lambda: not self.busy(), why="machines and endpoints to be settled")
        self.settle()
        wait_for(lambda: not self.busy(), why="machines and endpoints to be settled")

    def busy(self) -> bool:
        """Tell whether something takes real time: a task, a function, an endpoint on its way."""
        # Asked again behind what sets them off: it may have done so between the two.
        return self._hands() or self.standins.changing() or self._hands()

    def _hands(self) -> bool:
        def functions() -> bool:
            return any(each.busy for each in self.functions.values())

        return functions() or self.machines.busy() or functions()

    def log(self) -> str:
        """Return what all functions wrote, for who reads a failed test."""
        return "\n".join(f"== {name}\n{each.log()}" for name, each in self.functions.items())

    # -- what the switchboard asks -------------------------------------------------------------

    def execution(self, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out an operation of Step Functions."""
        if operation == "StartExecution":
            return self._started(given)
        if operation == "ListExecutions":
            wanted = given.get("statusFilter")
            found = [
                described(each)
                for each in self.machines.of(self.machine(given["stateMachineArn"]))
                if wanted in {None, each.status}
            ]
            return {"executions": found}
        if operation == "DescribeStateMachine":
            return {"stateMachineArn": self._there(given).arn, "name": self._there(given).name}
        execution = self._known(given["executionArn"])
        if operation == "StopExecution":
            if execution.status == "RUNNING":
                self.machines.stop(execution.arn)
            return {"stopDate": self.clock.now().timestamp()}
        if operation == "DescribeExecution":
            return described(execution)
        raise TaskFailed("NotImplemented", f"{operation} is not played by the tests")

    def _there(self, given: Mapping[str, Any]) -> Machine:
        try:
            return self.machine(given["stateMachineArn"])
        except Unresolved as error:
            raise TaskFailed("StateMachineDoesNotExist", str(error)) from error

    def _started(self, given: Mapping[str, Any]) -> dict[str, Any]:
        machine = self._there(given)
        document = json.loads(given.get("input") or "{}")
        with self._executions:
            known = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{given.get('name')}"
            former = self.machines.executions.get(known)
            # Asking again for what runs already, with the same input, is answered and does nothing.
            if former is not None and former.status == "RUNNING" and former.input == document:
                execution = former
            else:
                name = given.get("name") or str(uuid.uuid4())
                execution = self.machines.start(machine, document, name)
        started = execution.started_at.timestamp()
        return {"executionArn": execution.arn, "startDate": started}

    def _known(self, execution: str) -> Execution:
        if execution not in self.machines.executions:
            raise TaskFailed("ExecutionDoesNotExist", f"Execution Does Not Exist: '{execution}'")
        return self.machines.executions[execution]

    def tagged(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Answer GetResources of the tagging API."""
        return self.standins.tagged(given)

    def cloudwatch(
        self, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Any, bytes]:
        """Answer CloudWatch's calls."""
        return self.composites.answer(path, headers, body)

    def happened(self, event: Mapping[str, Any], bus: str = "default") -> None:
        """Take an event that rules may be about."""
        if event.get("detail-type") == "CloudWatch Alarm State Change":
            event = as_here(event)
            self.composites.told(event)
        self.rules.happened(event, bus, self.assembly.account, self.assembly.region)

    def publish(self, topic: str, message: str) -> None:
        """Publish what SageMaker, or an alarm, tells a topic."""
        self.standins.client("sns").publish(TopicArn=arn("sns", topic), Message=message)

    def custom(self, number: str, told: Mapping[str, Any]) -> None:
        """Take the answer of a custom resource's function."""
        with self._told:
            self._custom[number] = told
            self._told.notify_all()

    # -- inside ------------------------------------------------------------------------------

    def _is_custom(self, resource: Resource) -> bool:
        """Tell whether a function of ours makes it; the CDK's own, in Node, are not run."""
        custom = resource.type.startswith("Custom::") or resource.type.endswith("::CustomResource")
        return custom and resource.properties["ServiceToken"].split(":")[6] in self.functions

    def _invoked(self, name: str, event: Any) -> Answer:
        return self.function(name).invoke(event)

    def _surroundings(self, spec: Spec) -> dict[str, str]:
        """Return what a function is told by us: the stand-ins, and the API where it is here."""
        api = next(iter(self.assembly.resources("AWS::ApiGateway::RestApi")), None)
        host = f"https://{api.ref}.execute-api.{self.assembly.region}.amazonaws.com" if api else ""
        here = {
            name: value.replace(host, self.gateway.url.rsplit("/", 1)[0])
            for name, value in spec.environment.items()
            if host and host in value
        }
        return {**here, **self.standins.surroundings(spec)}

    def _bury(self, spec: Spec, body: bytes, answer: Answer) -> None:
        if spec.dead_letters is None:
            return
        name = spec.dead_letters.rsplit(":", 1)[1]
        sqs = self.standins.client("sqs")
        url = sqs.get_queue_url(QueueName=name[:80])["QueueUrl"]
        told = {"StringValue": answer.error_message or "unknown", "DataType": "String"}
        sqs.send_message(
            QueueUrl=url, MessageBody=body.decode(), MessageAttributes={"ErrorMessage": told}
        )

    def _give(self, target: Mapping[str, Any], event: Any) -> None:
        to = target["Arn"]
        if ":function:" in to:
            self.function(to).send(event)
        elif ":stateMachine:" in to:
            self.machines.start(self.machine(to), event, str(uuid.uuid4()))
        elif ":sns:" in to:
            self.standins.client("sns").publish(TopicArn=to, Message=_text(event))
        else:
            raise Unresolved(f"targets such as {to} get nothing here")


def _text(value: Any) -> Any:
    """Return a property as CloudFormation gives it to functions: what is no collection as text."""
    if isinstance(value, dict):
        return {name: _text(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_text(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


def _machine(resource: Resource) -> Machine:
    given = resource.properties
    text = given["DefinitionString"]
    for name, value in given.get("DefinitionSubstitutions", {}).items():
        text = text.replace("${" + name + "}", str(value))
    left = re.search(r"\$\{\w+\}", text)
    if left:
        raise Unresolved(f"{resource.path} has no substitution for {left[0]}")
    return Machine(
        arn=resource.ref,
        name=name_of(resource),
        definition=json.loads(text),
        role=given["RoleArn"],
    )
