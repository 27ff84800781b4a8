"""One line that says what to do, exit status 1, never a traceback."""

from types import SimpleNamespace

import pytest

from parkade.apps.cli import unknown
from parkade.apps.cli.client import Refused
from tests.apps.cli.desk import desk as open_desk


@pytest.mark.parametrize(
    "command",
    [
        ("ls",),
        ("add", "text", "--config", "c"),
        ("invoke", "text", "--json", "{}"),
        ("logs", "text"),
        ("events",),
        ("plan",),
        ("model", "ls"),
        ("reload",),
    ],
)
def test_an_unreachable_server_is_named_with_the_way_to_start_one(desk, command, closed_port):
    url = f"http://127.0.0.1:{closed_port}"
    desk.environment["PARKADE_URL"] = url
    assert desk.error(*command) == (
        f"error: no Parkade server answers at {url}; start one with: parkade up"
    )


@pytest.mark.parametrize("url", ["127.0.0.1:8700", "ftp://x", "nonsense"])
def test_an_unusable_url_is_named(desk, url):
    desk.environment["PARKADE_URL"] = url
    assert "PARKADE_URL" in desk.error("ls")


def test_a_token_that_fits_in_no_header_is_named(desk):
    desk.environment["PARKADE_TOKEN"] = "kéy\n"
    assert "PARKADE_TOKEN" in desk.error("ls")


def test_a_wrong_token_names_the_server_and_both_ways_to_a_right_one(desk):
    desk.environment["PARKADE_TOKEN"] = "wrong"
    line = desk.error("ls")
    assert line.startswith(f"error: the server at {desk.environment['PARKADE_URL']} does not take")
    assert "PARKADE_TOKEN" in line
    assert "PARKADE_STATE" in line


def test_a_role_that_is_too_small_says_which_is_needed(tmp_path):
    with open_desk(tmp_path, by="invoker") as desk:
        line = desk.error("add", "text", "--config", "falcon-config")
    assert "needs operator" in line
    assert "--role operator" in line


def test_the_environment_of_a_proxy_does_not_stand_before_this_machine(desk, closed_port):
    desk.environment |= {"HTTP_PROXY": f"http://127.0.0.1:{closed_port}", "NO_PROXY": ""}
    assert desk.json("ls") == []


@pytest.mark.parametrize("command", ["show", "extend", "stop", "start", "logs"])
def test_an_unknown_endpoint_gets_the_one_that_was_meant(desk, command):
    desk.world.add("text-classification")
    more = ["--minutes", "1"] if command == "extend" else []
    line = desk.error(command, "text-clasification", *more)
    assert "did you mean 'text-classification'? see: parkade ls" in line


@pytest.mark.parametrize(
    "command",
    [("show",), ("stop",), ("logs",), ("model", "show"), ("model", "rm"), ("config", "rm")],
)
@pytest.mark.parametrize("name", ["a/b", "..", "", "a b", "x" * 64])
def test_what_cannot_be_a_name_is_refused_before_it_is_asked_for(desk, command, name):
    asked = []
    desk.front.looks_on = asked.append
    assert any(word in desk.error(*command, name) for word in ("not a valid name", "missing"))
    assert not asked


def test_an_unknown_endpoint_like_no_other_gets_a_way_to_make_it(desk):
    line = desk.error("extend", "text", "--minutes", "1")
    assert "parkade add text --config" in line


def test_what_is_there_is_not_said_to_have_been_meant():
    """An endpoint that is not metered has no lease, and is no misspelt one."""
    client = SimpleNamespace(pages=lambda noun: [{"name": "text"}])
    refusal = Refused(
        "there is no lease for 'text'", status=404, code="lease_not_found", hint="buy time"
    )
    assert unknown.advised(client, refusal).hint == "buy time"


def test_an_unknown_config_gets_the_one_that_was_meant(desk):
    model = {"name": "m", "image": "pytorch-inference"}
    desk.world.ok("POST", "/v1/models", by="admin", json=model)
    desk.ok("config", "create", "text-config", "--variant", "model=m")
    line = desk.error("add", "text", "--config", "text-confg")
    assert "did you mean 'text-config'? see: parkade config ls" in line


def test_who_may_not_see_the_list_gets_the_servers_own_words(tmp_path):
    with open_desk(tmp_path, by="limited") as desk:
        line = desk.error("show", "falcon")
    assert "falcon" in line


def test_a_server_that_is_not_parkade_is_told(desk):
    async def behind(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"<html>hello</html>"})

    desk.front.behind = behind
    assert "answers, but not like Parkade" in desk.error("ls")


def test_an_error_page_of_a_proxy_is_one_line(desk):
    async def behind(scope, receive, send):
        await send({"type": "http.response.start", "status": 502, "headers": []})
        await send({"type": "http.response.body", "body": b"<html>\n<b>bad\ngateway</b>\n</html>"})

    desk.front.behind = behind
    assert desk.error("ls") == "error: HTTP 502: <html> <b>bad gateway</b> </html>"


@pytest.mark.parametrize(
    "arguments",
    [
        ("lss",),
        ("ls", "--wrong"),
        ("add", "text"),
        ("extend", "text"),
        ("extend", "text", "--minutes", "many"),
        ("token", "create", "--name", "x", "--role", "king"),
        ("invoke", "text"),
        ("invoke", "text", "--json", "{}", "--file", "x"),
    ],
)
def test_bad_usage_is_status_2(desk, arguments):
    result = desk.run(*arguments)
    assert result.exit_code == 2
    assert not result.stdout
    assert "Usage" in result.stderr


def test_a_bug_is_not_dressed_up_as_an_error(desk, monkeypatch):
    monkeypatch.setattr("parkade.apps.cli.views.Meters", None)
    desk.world.add("text")
    with pytest.raises(TypeError):
        desk.run("ls")
