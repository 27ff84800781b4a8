"""Tokens are made on the state folder itself; here it is a real one."""

import json
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from parkade.apps import identity
from parkade.apps.statefolder import StatePaths
from parkade.domain.errors import Unauthenticated
from parkade.domain.token import Role


@pytest.fixture
def paths(desk):
    return StatePaths(state=Path(desk.environment["PARKADE_STATE"]))


def authenticated(paths, secret):
    with identity.local_tokens(paths) as tokens:
        return tokens.authenticate(secret)


def test_create_prints_the_token_and_nothing_else(desk, paths):
    result = desk.run("token", "create", "--name", "ann")
    assert result.exit_code == 0
    assert result.stderr == ""
    secret = result.stdout.removesuffix("\n")
    assert secret.startswith("pk_")
    token = authenticated(paths, secret)
    assert (token.name, token.role, token.endpoints, token.expires_at) == (
        "ann", Role.INVOKER, frozenset(), None,
    )  # fmt: skip


def test_create_takes_role_endpoints_and_expiry(desk, paths):
    secret = desk.ok(
        "token", "create", "--name", "ann", "--role", "operator", "--endpoint", "text",
        "--endpoint", "flan", "--expires", "12h",
    ).strip()  # fmt: skip
    token = authenticated(paths, secret)
    assert token.role is Role.OPERATOR
    assert token.endpoints == {"text", "flan"}
    assert (token.expires_at - token.created_at).total_seconds() == 12 * 3600


def test_create_takes_a_pass_code_from_standard_input(desk, paths):
    created = desk.ok(
        "token", "create", "--name", "ann", "--from-stdin", stdin="sesame-open-sesame\n"
    )
    assert created == "sesame-open-sesame\n"
    assert authenticated(paths, "sesame-open-sesame").name == "ann"
    line = desk.error("token", "create", "--name", "bob", "--from-stdin", stdin="short\n")
    assert "16 or more" in line


def test_the_secret_is_nowhere_in_the_state_folder(desk, paths):
    secret = desk.ok("token", "create", "--name", "ann").strip().encode()
    files = [each for each in paths.state.rglob("*") if each.is_file()]
    assert files
    assert not [each for each in files if secret in each.read_bytes()]
    assert stat.S_IMODE(paths.server_key.stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.state.stat().st_mode) == 0o700


def test_a_taken_name_is_refused(desk):
    desk.ok("token", "create", "--name", "ann")
    assert "ann" in desk.error("token", "create", "--name", "ann")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--name", "a b"), "name"), (("--name", "ann", "--expires", "soon"), "30d, 12h or 90m")],
)
def test_unusable_values_are_named(desk, arguments, told):
    assert told in desk.error("token", "create", *arguments)


def test_ls_lists_tokens_without_secrets_and_revoke_ends_them(desk, paths):
    secret = desk.ok("token", "create", "--name", "ann").strip()
    desk.ok("token", "create", "--name", "bob", "--endpoint", "text", "--expires", "30d")
    assert desk.ok("token", "revoke", "ann") == "ann: revoked\n"
    ann, bob = desk.json("token", "ls")
    assert (ann["name"], ann["live"], bob["endpoints"]) == ("ann", False, ["text"])
    assert "token" not in ann
    table = desk.ok("token", "ls")
    assert "revoked" in table
    assert secret not in table
    with pytest.raises(Unauthenticated):
        authenticated(paths, secret)


def test_revoking_an_unknown_token_is_told(desk):
    assert "parkade token ls" in desk.error("token", "revoke", "nobody")


def test_a_running_server_is_told_over_its_own_socket(desk, paths):
    paths.make()
    paths.admin_token.write_text("the-admin-token\n")
    asked = []
    with listening(paths.control_socket, asked, b"HTTP/1.1 204 No Content\r\n\r\n"):
        desk.ok("token", "create", "--name", "ann")
    assert asked[0].startswith("POST /v1/nudge HTTP/1.1\r\n")
    assert "authorization: bearer the-admin-token" in asked[0].lower()


def test_a_socket_that_nobody_listens_on_is_a_server_that_does_not_run(desk, paths):
    paths.make()
    left = socket.socket(socket.AF_UNIX)
    left.bind(os.fspath(paths.control_socket))
    left.close()
    desk.ok("token", "create", "--name", "ann")


def test_a_server_that_refuses_the_word_is_not_passed_over(desk, paths):
    paths.make()
    with identity.local_tokens(paths) as tokens:
        tokens.create("ann", role=Role.INVOKER, endpoints=[], lifetime=None, actor="test")
    body = json.dumps({"error": {"code": "forbidden", "message": "no", "hint": "ask"}}).encode()
    head = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(body)
    with listening(paths.control_socket, [], head + body):
        result = desk.run("token", "revoke", "ann")
    assert result.exit_code == 1
    assert "revoked" not in result.stdout


class listening:  # noqa: N801
    """One request's worth of a server on a unix socket."""

    def __init__(self, path, asked, answer):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(os.fspath(path))
        self.socket.listen()
        self.thread = threading.Thread(target=self.serve, args=(asked, answer))

    def serve(self, asked, answer):
        # Whether it runs is asked first, by a connection that says nothing.
        request = b""
        while not request:
            connection, _ = self.socket.accept()
            with connection:
                request = connection.recv(65536)
                if request:
                    connection.sendall(answer)
        asked.append(request.decode())

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *error):
        self.thread.join(30)
        self.socket.close()
