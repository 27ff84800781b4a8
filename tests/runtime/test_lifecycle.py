"""An endpoint's way through its statuses, with real workers."""

import asyncio
import socket
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from parkade.domain.endpoint import EndpointStatus
from parkade.domain.errors import (
    AlreadyExists,
    ConfigNotFound,
    EndpointBusy,
    EndpointNotFound,
    InvalidInput,
    ResourceLimitExceeded,
    Unavailable,
)
from parkade.runtime.places import InstanceState
from tests.builders import a_config, a_model, a_variant
from tests.runtime.premises import (
    alive,
    an_archive,
    gone,
    in_service,
    pids,
    running,
    status,
    until,
)


def test_an_endpoint_is_created_serves_and_is_deleted_without_a_trace(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, instances=2)
            assert status(host) == "Creating"
            assert host.observed()["falcon"].wanted == 2
            await in_service(host)
            (variant,) = host.fleets()["falcon"].variants
            assert (variant.name, variant.weight) == ("blue", 1.0)
            for instance in variant.instances:
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(instance.addresses[0])
                    connection.sendall(b"POST /invocations HTTP/1.1\r\n\r\n")
                    assert connection.recv(100).startswith(b"HTTP/1.1 200")
            workers = pids(host)
            assert {i.state for i in host.instances("falcon")} == {InstanceState.RUNNING}
            assert len({i.id for i in host.instances("falcon")}) == 2
            host.delete_endpoint("falcon", "ann")
            assert status(host) == "Deleting"
            await gone(host)
            assert not any(alive(pid) for pid in workers)
            assert home.processes() == []
            assert home.store.instances().records == ()
            await until(lambda: list(home.paths.work.iterdir()) == [])
            assert list(home.paths.sockets.iterdir()) == []
            assert list(home.paths.models.iterdir()) == []
            assert len(host.logs("falcon")) == 2
        assert home.kinds("endpoint.") == [
            "endpoint.creating",
            "endpoint.in_service",
            "endpoint.deleting",
            "endpoint.deleted",
        ]
        assert home.kinds("worker.") == ["worker.started"] * 2

    asyncio.run(story())


def test_a_worker_is_taken_from_the_gateways_before_it_is_told_to_end(home):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            assert home.releases == [({}, 1)]

    asyncio.run(story())


def test_nobody_waits_for_the_grace_of_an_idle_worker(home):
    """Nor for anything else that takes a second; it is some 50 ms where nothing else runs."""
    sleeps = []
    sleep = asyncio.sleep

    async def noted(seconds, *arguments):
        if asyncio.current_task().get_name() != "tend logs":
            sleeps.append(seconds)
        await sleep(seconds, *arguments)

    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(asyncio, "sleep", noted)
                loop = asyncio.get_running_loop()
                begun = loop.time()
                host.delete_endpoint("falcon", "ann")
                await gone(host)
                assert loop.time() - begun < 5
            assert max(sleeps) < 1

    home.patient(grace=timedelta(hours=1))
    asyncio.run(story())


@pytest.mark.semantics("container.contract", "container.program")
def test_a_worker_sees_its_model_and_its_markers_and_no_secret(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, GREETING="hello", PARKADE_STATE_ID="forged")
            await in_service(host)
            (instance,) = host.instances("falcon")
            worker = psutil.Process(instance.pid)
            environment = worker.environ()
            assert environment["GREETING"] == "hello"
            assert environment["PATH"] == "/usr/bin:/bin"
            assert environment["PARKADE_STATE_ID"] == home.state_id
            assert environment["PARKADE_INSTANCE_ID"] == instance.id
            assert environment["SAGEMAKER_PROGRAM"] == "inference.py"
            model_dir = environment["SM_MODEL_DIR"]
            assert environment["SAGEMAKER_SUBMIT_DIRECTORY"] == f"{model_dir}/code"
            assert "PARKADE_TOKEN" not in environment
            assert worker.cwd() == str(home.paths.work / instance.id)
            assert "listening" in instance.log.read_text()

    asyncio.run(story())


def test_code_that_a_model_names_beside_its_data_is_in_its_folder(home):
    async def story():
        home.put("code.tar.gz", an_archive(**{"serve.py": ""}))
        async with running(home) as host:
            code = "s3://models/code.tar.gz"
            home.deploy(host, SAGEMAKER_PROGRAM="serve.py", SAGEMAKER_SUBMIT_DIRECTORY=code)
            await in_service(host)
            (instance,) = host.instances("falcon")
            environment = psutil.Process(instance.pid).environ()
            model_dir = Path(environment["SM_MODEL_DIR"])
            assert environment["SAGEMAKER_SUBMIT_DIRECTORY"] == f"{model_dir}/code"
            assert (model_dir / "code" / "serve.py").is_file()

    asyncio.run(story())


def test_creating_again_does_nothing_and_another_config_is_refused(home):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            host.create_endpoint("falcon", "falcon-config", "ann")
            variant = a_variant(model_name="falcon-model")
            host.create_config(a_config("other", variants=(variant,)), "ann")
            with pytest.raises(AlreadyExists, match="exists with endpoint config 'falcon-config'"):
                host.create_endpoint("falcon", "other", "ann")
            with pytest.raises(ConfigNotFound):
                host.create_endpoint("flan", "nonesuch", "ann")
            await in_service(host)
            assert len(host.instances("falcon")) == 1

    asyncio.run(story())


def test_deleting_is_refused_while_creating_and_repeated_without_harm(home):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            with pytest.raises(EndpointBusy, match="is Creating"):
                host.delete_endpoint("falcon", "ann")
            await in_service(host)
            host.delete_endpoint("falcon", "ann")
            host.delete_endpoint("falcon", "ann")
            with pytest.raises(EndpointBusy, match="still being deleted"):
                host.create_endpoint("falcon", "falcon-config", "ann")
            await gone(host)
            with pytest.raises(EndpointNotFound):
                host.delete_endpoint("falcon", "ann")
            host.create_endpoint("falcon", "falcon-config", "ann")
            await in_service(host)

    asyncio.run(story())


def test_more_instances_than_allowed_are_refused_at_once(tmp_path, home):
    async def story():
        async with running(home) as host:
            home.deploy(host, instances=2)
            with pytest.raises(ResourceLimitExceeded, match="needs 2 more workers, but 2 of 3"):
                home.deploy(host, name="flan", instances=2)
            assert "flan" not in host.observed()
            await in_service(host)
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            host.create_endpoint("flan", "flan-config", "ann")
            await in_service(host, "flan")

    home.rules = type(home.rules)(workers=3, patience=home.rules.patience)
    asyncio.run(story())


def test_new_rules_count_from_now_on(home):
    async def story():
        async with running(home) as host:
            host.configure(type(home.rules)(images={"my-own:*": "script"}, workers=1))
            host.create_model(a_model("own", image="my-own:3"), "ann")
            with pytest.raises(InvalidInput, match="no container is known"):
                host.create_model(a_model("other", image="somebody-elses:3"), "ann")
            with pytest.raises(ResourceLimitExceeded):
                home.deploy(host, instances=2)

    asyncio.run(story())


def test_a_host_that_has_not_started_says_so_rather_than_that_nothing_runs(home):
    host = home.host()
    with pytest.raises(Unavailable, match="not started"):
        host.observed()
    with pytest.raises(Unavailable, match="not started"):
        host.create_endpoint("falcon", "falcon-config", "ann")


def test_two_variants_share_their_data_and_keep_their_weights(home):
    async def story():
        async with running(home) as host:
            home.put("falcon.tar.gz")
            host.create_model(
                a_model(image="pytorch-inference", data_url="s3://models/falcon.tar.gz"), "ann"
            )
            variants = (a_variant("blue", weight=3.0), a_variant("green", weight=1.0))
            host.create_config(a_config(variants=variants), "ann")
            host.create_endpoint("falcon", "falcon-config", "ann")
            await in_service(host)
            views = host.fleets()["falcon"].variants
            assert [(v.name, v.weight, len(v.instances)) for v in views] == [
                ("blue", 3.0, 1),
                ("green", 1.0, 1),
            ]
            assert len(list(home.paths.models.iterdir())) == 1

    asyncio.run(story())


def test_closing_stops_every_worker_and_the_next_host_brings_them_back(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, instances=2)
            home.deploy(host, name="flan", content=an_archive(weights="4"))
            await in_service(host)
            await in_service(host, "flan")
        assert home.processes() == []
        assert home.store.instances().records == ()
        assert [str(e.status) for e in home.store.endpoints().records] == ["InService", "InService"]
        data = sorted(home.paths.models.iterdir())
        async with running(home) as host:
            seen = host.observed()["falcon"]
            assert (str(seen.status), seen.healthy, seen.wanted) == ("InService", 0, 2)
            await in_service(host)
            await in_service(host, "flan")
            assert sorted(home.paths.models.iterdir()) == data

    asyncio.run(story())


def test_what_comes_back_can_be_deleted_before_any_worker_answers(home):
    async def story():
        async with running(home) as host:
            home.deploy(host)
            await in_service(host)
        home.patient(startup=timedelta(hours=1))
        home.put("falcon.tar.gz", an_archive(mode="silent"))
        async with running(home) as host:
            assert status(host) == "InService"
            host.delete_endpoint("falcon", "meter")
            await gone(host)
            assert home.processes() == []

    asyncio.run(story())


def test_a_change_of_status_that_sagemaker_does_not_know_is_a_bug(home):
    async def story():
        async with running(home) as host:
            home.deploy(host, MODE="broken")
            await until(lambda: status(host) == "Failed")
            fleet = host._endpoints["falcon"]
            with pytest.raises(RuntimeError, match="from Failed to InService"):
                fleet._record(EndpointStatus.IN_SERVICE, "endpoint.in_service", "by mistake")
            assert status(host) == home.store.endpoint("falcon").status == "Failed"
            fleet._record(EndpointStatus.FAILED, "endpoint.failed", "still")
        assert home.kinds("endpoint.")[-2:] == ["endpoint.failed", "endpoint.failed"]

    asyncio.run(story())
