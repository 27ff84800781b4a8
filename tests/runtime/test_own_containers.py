"""Images that commands of this machine play."""

import asyncio
import json
import os
import signal
import socket
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from parkade.domain.errors import InvalidInput
from parkade.runtime import addresses, images
from parkade.runtime.images import ImageCommand, Listen
from tests.builders import a_config, a_model, a_variant
from tests.runtime.premises import Home, an_archive, gone, in_service, pids, running, until

SERVER = Path(__file__).with_name("own_server.py")
PYTHON = (sys.executable, "-S", "-E")


def playing(home: Home, **command):
    """Let a command play the image `own`."""
    own = ImageCommand(**{"command": (*PYTHON, str(SERVER)), **command})
    home.rules = type(home.rules)(images={"own:*": own}, patience=home.rules.patience)


def deploy(home, host, *, instances=1, **changes):
    home.put("falcon.tar.gz", an_archive(weights="1"))
    defaults = {"image": "own:1", "data_url": "s3://models/falcon.tar.gz"}
    host.create_model(a_model(**{**defaults, **changes}), "ann")
    host.create_config(a_config(variants=(a_variant(instance_count=instances),)), "ann")
    host.create_endpoint("falcon", "falcon-config", "ann")


def ask(address):
    """Send an invocation there; return what it answers."""
    if addresses.is_port(address):
        connection = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))
    else:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(address)
    with connection:
        connection.sendall(b"POST /invocations HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def served(host):
    return [view.addresses[0] for view in host.fleets()["falcon"].variants[0].instances]


@pytest.mark.semantics("container.contract", "container.place", "container.own")
def test_a_server_on_a_port_is_told_which_and_where_its_model_is(home):
    async def story():
        async with running(home) as host:
            deploy(home, host, instances=2, environment={"GREETING": "hello", "FROM": "model"})
            await in_service(host)
            first, second = served(host)
            assert first != second
            told = ask(first)
            assert told["model"] == ["weights"]
            environment = told["environment"]
            port = first.rpartition(":")[2]
            assert environment["SAGEMAKER_BIND_TO_PORT"] == port
            low, high = map(int, environment["SAGEMAKER_SAFE_PORT_RANGE"].split("-"))
            assert int(port) < low < high
            other = int(second.rpartition(":")[2])
            assert not low <= other <= high
            assert environment["GREETING"] == "hello"
            assert environment["FROM"] == "model"
            assert environment["HERE"].startswith(str(home.paths.work))
            assert environment["SHELLY"] == "${HERE} {}"
            assert environment["SM_MODEL_DIR"].startswith(str(home.paths.models))
            assert "PARKADE_TOKEN" not in environment
            assert told["arguments"] == [
                f"--model={environment['SM_MODEL_DIR']}",
                f"--port={port}",
            ]
            host.delete_endpoint("falcon", "ann")
            await gone(host)
            assert not addresses.listens(first)

    playing(
        home,
        command=(*PYTHON, str(SERVER), "--model={model_dir}", "--port={port}"),
        environment={"FROM": "image", "HERE": "{work_dir}/here", "SHELLY": "${HERE} {}"},
    )
    asyncio.run(story())


def test_a_server_on_a_socket_with_a_health_path_of_its_own(home):
    async def story():
        async with running(home) as host:
            deploy(home, host, environment={"OWN_HEALTH": "/health"})
            await in_service(host)
            (address,) = served(host)
            assert address.startswith(str(home.paths.sockets))
            assert ask(address)["arguments"] == ["--socket", address]

    command = (*PYTHON, str(SERVER), "--socket", "{socket}")
    playing(home, command=command, listen=Listen.SOCKET, health="/health")
    asyncio.run(story())


def test_it_is_adopted_at_its_port_and_restarted_at_another(home):
    async def story():
        first = home.host()
        await first.start()
        deploy(home, first, instances=2)
        await in_service(first)
        found, before = served(first), pids(first)
        await first.abandon()
        async with running(home) as host:
            assert served(host) == found
            assert pids(host) == before
            os.kill(before[0], signal.SIGKILL)
            await until(lambda: "worker.restarted" in home.kinds("worker."))
            await in_service(host)
            assert len(set(served(host))) == 2
            assert found[1] in served(host)
            assert all(ask(address)["model"] for address in served(host))

    playing(home)
    asyncio.run(story())


def test_a_server_that_never_answers_its_health_path_fails_the_endpoint(home):
    async def story():
        async with running(home) as host:
            deploy(home, host)
            await until(lambda: str(host.observed()["falcon"].status) == "Failed")
            assert "did not answer /elsewhere within" in host.observed()["falcon"].failure_reason

    home.patient(startup=timedelta(seconds=1))
    playing(home, health="/elsewhere")
    asyncio.run(story())


@pytest.mark.semantics("container.own")
def test_many_models_have_a_folder_for_each_worker_and_no_data_at_first(home):
    async def story():
        async with running(home) as host:
            deploy(home, host, instances=2, multi_model=True, data_url="s3://models/many/")
            await in_service(host)
            variant = host.fleets()["falcon"].variants[0]
            assert variant.multi_model
            for view in host.workers("falcon"):
                told = ask(view.addresses[0])
                assert told["environment"]["SAGEMAKER_MULTI_MODEL"] == "true"
                assert told["environment"]["SM_MODEL_DIR"] == str(view.models)
                assert told["arguments"] == [str(view.models)]
                assert view.models == home.paths.work / view.id / "models"
                assert list(view.models.iterdir()) == []
                assert view.container.data_url == "s3://models/many/"

    playing(home, command=(*PYTHON, str(SERVER), "{models_dir}"))
    asyncio.run(story())


def test_a_script_image_of_many_models_is_played_by_the_container_for_many():
    kinds = {"script", "multi"}
    play = images.player
    assert play("pytorch-inference", {}, kinds, multi_model=True) == "multi"
    assert play("pytorch-inference", {}, kinds) == "script"
    with pytest.raises(InvalidInput, match="is played by the multi-model container"):
        play("mms", {"mms": "multi"}, kinds)


def test_blocks_of_ports_are_given_once_and_again_when_they_are_back():
    ports = addresses.Ports()
    blocks = [ports.take(f"worker {number}") for number in range(50)]
    assert len({block.port for block in blocks}) == 50
    ports.note("adopted", "127.0.0.1:20000")
    assert 20000 not in {ports.take(f"other {number}").port for number in range(50)}
    ports.close()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        assert addresses.listens(address)
    assert not addresses.listens(address)


@pytest.fixture
def in_order(monkeypatch):
    """Ports are chosen in their order, and none that other tests' hosts choose as well."""
    monkeypatch.setattr(addresses.random, "shuffle", lambda starts: None)
    monkeypatch.setattr(addresses, "_FIRST", 18_000)
    monkeypatch.setattr(addresses, "_LAST", 20_000)


def test_two_hosts_of_a_machine_do_not_choose_a_port_that_is_about_to_be_used(in_order):
    """Nobody listens there yet: its process is only starting."""
    one, other = addresses.Ports(), addresses.Ports()
    try:
        first, second = one.take("worker"), other.take("worker")
        assert first.port != second.port
        assert one.take("worker").port != first.port
        assert other.take("another").port == first.port
    finally:
        one.close()
        other.close()


def test_what_is_found_running_is_held_as_well(in_order):
    one, other = addresses.Ports(), addresses.Ports()
    try:
        found = one.take("worker").address
        other.note("worker", found)  # the former host is not gone yet
        one.close()
        other.note("worker", found)
        assert one.take("worker").address != found
    finally:
        one.close()
        other.close()
