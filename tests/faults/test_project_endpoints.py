"""A project's endpoints on a whole Parkade, by its API: real workers, real callers, no client."""

from __future__ import annotations

import copy
import hashlib
import json
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from parkade.runtime import packing
from tests.clients.account import IMAGE, Account, account
from tests.house import NO_OP, PATIENCE, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Each application waits for fleets, which take their time on a busy machine.
pytestmark = pytest.mark.timeout(300)
SCALING = {"enabled": True, "least": 1, "most": 2, "target": 1000}
CALLERS = 8


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("project-endpoints")) as built:
        built.push("no-op")
        yield built


class Project:
    """One project of one endpoint, `text`, at a stage of its own."""

    def __init__(self, own: Account, stage: str, **endpoint: Any) -> None:
        self.own = own
        self.house = own.house
        self.prefix = f"Text{stage}"
        self.name = f"{self.prefix}-text"
        variants = [self.variant("a"), self.variant("b")]
        self.document: dict[str, Any] = {
            "project": "Text",
            "stage": stage,
            "models": {"m": {"data": "s3://models/no-op.tar.gz", "image": IMAGE}},
            "endpoints": {
                "text": {"variants": variants, "lease": {"minutes": 60}, **endpoint},
            },
        }

    @staticmethod
    def variant(name: str, **members: Any) -> dict[str, Any]:
        return {"name": name, "model": "m", "type": "ml.c5.large", **members}

    @property
    def endpoint(self) -> dict[str, Any]:
        return dict(self.document["endpoints"]["text"])

    def changed(self, **members: Any) -> None:
        """Change the file's endpoint."""
        self.document = copy.deepcopy(self.document)
        self.document["endpoints"]["text"].update(members)

    def plan(self) -> list[dict[str, Any]]:
        answer = self.house.ok("POST", "/v1/projects?dry_run=true", json=self.document).json()
        assert answer["problems"] == [], answer["problems"]
        return list(answer["changes"])

    def apply(self) -> dict[str, Any]:
        """Apply the file to its end; afterwards nothing differs."""
        begun = self.house.ok("POST", "/v1/projects", json=self.document).json()
        ended = self._ended(begun)
        assert self.plan() == []
        return ended

    def destroy(self) -> None:
        self._ended(self.house.ok("DELETE", f"/v1/projects/{self.prefix}").json())

    def _ended(self, begun: dict[str, Any]) -> dict[str, Any]:
        path = f"/v1/projects/{self.prefix}/applications/{begun['id']}"

        def over() -> dict[str, Any] | None:
            told = dict(self.house.ok("GET", path).json())
            return None if told["status"] == "running" else told

        ended = wait_for(over, why=f"the application of {self.prefix} to end")
        assert isinstance(ended, dict)
        assert ended["status"] == "succeeded", ended
        return ended

    def described(self) -> dict[str, Any]:
        return dict(self.own.sagemaker.describe_endpoint(EndpointName=self.name))

    def config(self) -> dict[str, Any]:
        name = self.described()["EndpointConfigName"]
        return dict(self.own.sagemaker.describe_endpoint_config(EndpointConfigName=name))

    def workers(self) -> set[int]:
        answer = self.house.ok("GET", f"/v1/endpoints/{self.name}").json()
        return {each["pid"] for each in answer["instances"] if each.get("pid")}

    def lease(self) -> dict[str, Any]:
        return dict(self.house.ok("GET", f"/v1/leases/{self.name}").json())

    def scaled(self) -> list[str]:
        """The resources of it that are under scaling."""
        scaling = self.own.session.client("application-autoscaling", endpoint_url=self.house.url)
        with closing(scaling):
            told = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")
        found = [each["ResourceId"] for each in told["ScalableTargets"]]
        return [each for each in found if each.startswith(f"endpoint/{self.name}/")]

    def left(self) -> list[str]:
        """What there is of its name, anywhere."""
        configs = self.own.sagemaker.list_endpoint_configs(NameContains=self.name)
        models = self.own.sagemaker.list_models(NameContains=self.prefix)
        return [
            *(each["EndpointConfigName"] for each in configs["EndpointConfigs"]),
            *(each["ModelName"] for each in models["Models"]),
            *(
                each["EndpointName"]
                for each in self.own.sagemaker.list_endpoints(NameContains=self.prefix)["Endpoints"]
            ),
            *(
                each["endpoint_name"]
                for each in self.house.ok("GET", "/v1/leases").json()["leases"]
                if each["endpoint_name"].startswith(self.prefix)
            ),
        ]

    @contextmanager
    def called(self) -> Iterator[None]:
        """Keep callers calling meanwhile; each gets its answers."""
        stop, faults, answers = threading.Event(), list[str](), list[int]()

        def call() -> None:
            headers = {"Authorization": self.house.token}
            url = f"{self.house.url}/endpoints/{self.name}/invocations"
            with httpx.Client(headers=headers, timeout=PATIENCE) as client:
                while not stop.is_set():
                    answer = client.post(url, json={"text": "coin"})
                    answers.append(answer.status_code)
                    if answer.status_code != 200 or answer.json()["n"] != len("coin"):
                        faults.append(answer.text)

        threads = [threading.Thread(target=call) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        try:
            wait_for(lambda: len(answers) > CALLERS, why="the first answers")
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(PATIENCE)
        assert faults == []


@pytest.mark.semantics("states.update", "limits.weight")
def test_an_endpoint_is_made_changed_by_a_canary_reweighed_and_removed(own: Account) -> None:
    project = Project(own, "Whole")
    digest = hashlib.sha256(b"whole").hexdigest()
    archive = own.house.state.parent / "whole.tar.gz"
    packing.pack(NO_OP, archive)
    key = f"textwhole-archive/{project.prefix}/{digest}.tar.gz"
    own.house.ok("PUT", f"/v1/objects/{key}", content=archive.read_bytes())
    project.document["models"]["m"]["data"] = f"s3://{key}"

    project.apply()
    created = project.described()["EndpointConfigName"]
    expires_at = project.lease()["expires_at"]
    assert json.loads(own.invoke(project.name)["Body"].read())["n"] == len("coin")
    arn = project.described()["EndpointArn"]
    tags = {t["Key"]: t["Value"] for t in own.sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    assert tags["parkade:project"] == project.prefix
    assert project.house.ok("POST", "/v1/projects", json=project.document).json()["steps"] == []

    # Another weight: the very same workers serve on.
    workers = project.workers()
    assert len(workers) == 2
    project.changed(variants=[project.variant("a", weight=9), project.variant("b")])
    with project.called():
        project.apply()
    assert project.workers() == workers
    shares = {
        v["VariantName"]: v["CurrentWeight"] for v in project.described()["ProductionVariants"]
    }
    assert shares == {"a": 9.0, "b": 1.0}

    # One instance more, beside those that serve.
    project.changed(variants=[project.variant("a", weight=9, instances=2), project.variant("b")])
    with project.called():
        project.apply()
    assert len(project.workers()) == 3
    assert project.workers() > workers

    # Another fleet, by a canary.
    strategy = {"kind": "canary", "percent": 50, "wait_seconds": 0}
    variants = [project.variant("a", weight=9, type="ml.c5.xlarge"), project.variant("b")]
    project.changed(variants=variants, strategy=strategy)
    with project.called():
        project.apply()
    assert not project.workers() & workers
    assert project.described()["EndpointConfigName"] != created
    assert project.lease()["expires_at"] == expires_at, "only creating it buys time"

    project.destroy()
    assert project.left() == []
    assert own.house.call("GET", f"/v1/objects/{key}").status_code == 404


def test_scaling_is_switched_while_callers_call(own: Account) -> None:
    project = Project(own, "Scaled", variants=[Project.variant("a")])
    project.apply()
    config, workers = project.described()["EndpointConfigName"], project.workers()

    with project.called():
        project.changed(variants=[project.variant("a", scaling=SCALING)])
        project.apply()
        assert project.scaled() == [f"endpoint/{project.name}/variant/a"]
        project.changed(variants=[project.variant("a", scaling={**SCALING, "enabled": False})])
        project.apply()
        assert project.scaled() == []
    assert project.described()["EndpointConfigName"] == config
    assert project.workers() == workers
    project.destroy()
    assert project.left() == []


@pytest.mark.semantics("async.answer")
def test_capture_is_put_on_and_an_asynchronous_one_answers(own: Account) -> None:
    project = Project(own, "Async", variants=[Project.variant("a")])
    project.changed(capture={"percentage": 100, "destination": "s3://captured/text"})
    project.apply()
    assert project.config()["DataCaptureConfig"]["DestinationS3Uri"] == "s3://captured/text"
    project.destroy()

    del project.document["endpoints"]["text"]["capture"]
    project.changed(**{"async": {"output": "s3://answers/text"}})
    project.apply()
    own.house.ok("PUT", "/v1/objects/asked/one.json", content=b'{"text": "coin"}')
    begun = own.runtime.invoke_endpoint_async(
        EndpointName=project.name, InputLocation="s3://asked/one.json"
    )
    output = begun["OutputLocation"].removeprefix("s3://")
    wait_for(
        lambda: own.house.call("GET", f"/v1/objects/{output}").status_code == 200,
        why="the answer to be stored",
    )
    project.destroy()
    assert project.left() == []


def test_what_is_not_brought_up_waits_for_a_coin_and_then_follows_the_file(own: Account) -> None:
    project = Project(own, "Ready", variants=[Project.variant("a")], deploy=False)
    project.apply()
    (config,) = own.sagemaker.list_endpoint_configs(NameContains=project.name)["EndpointConfigs"]
    assert own.sagemaker.list_endpoints(NameContains=project.name)["Endpoints"] == []
    form = {"config_name": config["EndpointConfigName"], "minutes": 30}
    own.house.ok("PUT", f"/v1/leases/{project.name}", json=form)
    own.wait(project.name)
    project.changed(variants=[project.variant("a", type="ml.c5.xlarge")])
    project.apply()
    assert project.config()["ProductionVariants"][0]["InstanceType"] == "ml.c5.xlarge"
    project.destroy()
    assert project.left() == []


def test_what_is_over_changes_for_the_next_coin_and_is_not_started(own: Account) -> None:
    project = Project(own, "Over", variants=[Project.variant("a")])
    project.apply()
    own.house.ok("POST", f"/v1/leases/{project.name}/end")
    own.wait_gone(project.name)
    assert project.plan() == []
    variant = project.variant("a", type="ml.c5.xlarge", scaling=SCALING)
    project.changed(variants=[variant])
    ended = project.apply()
    assert "the next coin starts it from" in ended["steps"][-1]["text"]
    assert own.sagemaker.list_endpoints(NameContains=project.name)["Endpoints"] == []
    own.house.ok("POST", f"/v1/leases/{project.name}/start", json={"minutes": 10})
    own.wait(project.name)
    assert project.config()["ProductionVariants"][0]["InstanceType"] == "ml.c5.xlarge"
    assert project.scaled() == [f"endpoint/{project.name}/variant/a"]
    assert project.plan() == []
    project.destroy()
    assert project.left() == project.scaled() == []


def test_what_could_not_be_paid_for_is_a_problem_before_anything_is_made(own: Account) -> None:
    project = Project(own, "Poor")
    budget = {"usd": "0.01", "per": "week", "then": "refuse"}
    own.house.ok("PUT", "/v1/budgets/poor", json=budget)
    project.changed(owner="poor", lease={"minutes": 600})
    path = "/v1/projects?dry_run=true"
    (problem,) = own.house.ok("POST", path, json=project.document).json()["problems"]
    assert (problem["kind"], "poor" in problem["message"]) == ("endpoint", True)
    refused = own.house.call("POST", "/v1/projects", json=project.document)
    assert refused.status_code == 409
    assert problem["message"] in refused.json()["error"]["message"]
    project.changed(owner="rich", lease={"minutes": 10_000_000})
    (problem,) = own.house.ok("POST", path, json=project.document).json()["problems"]
    assert "max_minutes_ahead" in problem["message"] + problem["hint"]
    assert project.left() == []


def test_what_is_paid_for_is_told_by_the_budget_that_the_project_itself_sets(own: Account) -> None:
    path = "/v1/projects?dry_run=true"
    project = Project(own, "Raised")
    project.changed(owner="raised", lease={"minutes": 60})
    budget = {"owner": "raised", "amount": 0.01}
    project.document["limits"] = {"budget": budget}
    (problem,) = own.house.ok("POST", path, json=project.document).json()["problems"]
    assert (problem["kind"], "raised" in problem["message"]) == ("endpoint", True)
    # Once it is set, a greater one is not refused for what it is in the place of.
    endpoints = project.document.pop("endpoints")
    project.apply()
    project.document |= {"endpoints": endpoints, "limits": {"budget": budget | {"amount": 50}}}
    assert project.apply()["status"] == "succeeded"
    project.destroy()
