"""How the gateway process begins and ends, and its certificates."""

from __future__ import annotations

import signal
import ssl
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.apps.gateway.stand import (
    Gate,
    echo,
    head,
    invocation,
    read_answer,
    read_to_end,
    stand,
    wait_for,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.apps.gateway.stand import Stand


#: Whoever is waited for, though nobody should be, is waited for longer than any test takes.
NEVER = dict.fromkeys(("snapshot", "drain", "idle", "linger"), 10_000.0)


def serving(house: Stand) -> None:
    house.worker("w")
    house.push(endpoints={"e": house.view("w")})


@pytest.mark.parametrize("way", ["SIGTERM", "lifeline"])
def test_an_idle_gateway_ends_at_once(way: str) -> None:
    with stand(patience=NEVER) as house:
        serving(house)
        with house.connect() as caller:
            caller.sendall(invocation(b"x"))
            read_answer(caller)
            if way == "SIGTERM":
                assert house.stop() == 0
            else:
                house.cut_lifeline()
                assert house.process is not None
                assert house.process.wait(60) == 0
            assert caller.recv(1) == b""


def test_a_gateway_without_a_snapshot_ends_at_once() -> None:
    with stand(link_open=False, patience=NEVER) as house:
        # It reaches for the link once it listens to signals.
        house.link.setblocking(True)
        reached, _ = house.link.accept()
        reached.close()
        assert house.stop() == 0


def test_requests_under_way_are_finished_before_the_end() -> None:
    with stand() as house:
        gate = Gate()
        worker = house.worker("w", gate)
        control = house.play_control(gate)
        house.push(endpoints={"e": house.view("w")})
        with house.connect() as one, house.connect() as two, house.connect() as three:
            one.sendall(invocation(b"one"))
            two.sendall(head("GET", "/v1/x"))
            request = invocation(b"three")
            three.sendall(request[:-2])
            wait_for(lambda: worker.requests and control.requests)
            assert house.process is not None
            house.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            assert house.process.poll() is None
            house.call(gate.opened.set)
            three.sendall(request[-2:])
            for caller, body in ((one, b"one"), (three, b"three"), (two, b"")):
                answer = read_answer(caller)
                assert (answer.status, answer.body) == (200, body)
                assert caller.recv(1) == b""
        assert house.process.wait(60) == 0


def test_requests_that_take_too_long_are_not_waited_for() -> None:
    with stand(patience={"drain": 0.3}) as house:
        worker = house.worker("w", Gate())
        house.push(endpoints={"e": house.view("w")})
        with house.connect() as caller:
            caller.sendall(invocation(b"one"))
            wait_for(lambda: worker.requests)
            assert house.stop() == 0


def test_streams_of_events_do_not_hold_up_the_end() -> None:
    async def events() -> AsyncIterator[bytes]:
        yield (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        await Gate().opened.wait()

    with stand(patience=NEVER, numbers={"passage.DRAIN": 10_000}) as house:
        house.play_control(lambda _: events())
        house.push()
        with house.connect() as caller:
            caller.sendall(head("GET", "/v1/events/stream"))
            assert b"event-stream" in caller.recv(4096)
            assert house.stop() == 0


def test_callers_wait_in_the_backlog_while_the_gateway_is_restarted() -> None:
    """Killed or stopped, its listening sockets stay open with the supervisor."""
    with stand() as house:
        serving(house)
        for number in (signal.SIGKILL, signal.SIGTERM):
            assert house.stop(number) in {0, -number}
            callers: list[socket.socket] = [house.connect() for _ in range(20)]
            for index, caller in enumerate(callers):
                caller.sendall(invocation(b"%d" % index))
            assert (house.folder / "gateway.sock").exists()
            house.start()
            for index, caller in enumerate(callers):
                assert read_answer(caller).body == b"%d" % index
                caller.close()


def test_stopping_under_load_loses_no_request_it_has_begun() -> None:
    """Each connection is either answered or closed before anything was sent on it."""
    with stand() as house:
        serving(house)
        callers = [house.connect() for _ in range(50)]
        for caller in callers:
            caller.sendall(invocation(b"x"))
        for caller in callers:
            read_answer(caller)
        for caller in callers:
            caller.sendall(invocation(b"y" * 1000))
        wait_for(lambda: house.usage[("e", "main")]["invocations"] >= 60)
        assert house.stop() == 0
        for caller in callers:
            assert read_answer(caller).body == b"y" * 1000
            caller.close()


def make_certificate(folder: Path, name: str) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )


def test_https_with_a_certificate_that_is_renewed(tmp_path: Path) -> None:
    make_certificate(tmp_path, "first")
    options = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with stand(*options) as house:
        serving(house)
        house.play_control(echo)
        body = bytes(3_000_000)
        with secured(house, tmp_path) as caller:
            caller.sendall(invocation(body))
            assert read_answer(caller).body == body
            caller.sendall(head("GET", "/v1/x"))
            assert read_answer(caller).status == 200
            caller.sendall(invocation(b"x", "Connection: close"))
            assert read_to_end(caller).endswith(b"\r\n\r\nx")
        make_certificate(tmp_path, "second")
        assert house.process is not None
        house.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "certificate was read again" in house.log)
        with secured(house, tmp_path) as caller:
            caller.sendall(invocation(b"x"))
            assert read_answer(caller).body == b"x"


def secured(house: Stand, folder: Path) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    return context.wrap_socket(house.connect(), server_hostname="localhost")


def test_a_certificate_that_cannot_be_read_leaves_the_former_in_use(tmp_path: Path) -> None:
    make_certificate(tmp_path, "first")
    options = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with stand(*options, errors=True) as house:
        serving(house)
        trusted = tmp_path / "trusted"
        trusted.mkdir()
        (trusted / "cert.pem").write_bytes((tmp_path / "cert.pem").read_bytes())
        (tmp_path / "cert.pem").write_text("not a certificate")
        assert house.process is not None
        house.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "former one stays in use" in house.log)
        with secured(house, trusted) as caller:
            caller.sendall(invocation(b"x"))
            assert read_answer(caller).body == b"x"


def test_sighup_without_a_certificate_changes_nothing() -> None:
    with stand() as house:
        serving(house)
        assert house.process is not None
        house.process.send_signal(signal.SIGHUP)
        assert house.invoke().status == 200
        assert house.process.poll() is None
