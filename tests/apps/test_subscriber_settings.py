"""Subscribers, mail and links in server.yaml, and what becomes of them when it is read again."""

import base64

import pytest
import yaml

from parkade.apps.parts.outbox import subscribers_of
from parkade.apps.serverfile import read_server_file
from parkade.domain.errors import InvalidInput
from parkade.domain.subscriber import BUILT_IN, Channel, Shape
from tests.adapters.receiver import receiver
from tests.house import house, wait_for

HOOK = {"name": "ops", "kind": "webhook", "url": "http://127.0.0.1:9/"}


@pytest.fixture
def read(tmp_path):
    def reader(**content):
        path = tmp_path / "server.yaml"
        path.write_text(yaml.safe_dump(content))
        return read_server_file(path)

    return reader


def refusal(act):
    with pytest.raises(InvalidInput) as caught:
        act()
    return caught.value.message


def test_every_form_is_read(read, tmp_path):
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    (tmp_path / "secret").write_text(secret + "\n")
    file = read(
        subscribers=[
            {**HOOK, "secret_file": str(tmp_path / "secret"), "shape": "eventbridge"},
            {"name": "page", "kind": "command", "command": ["/bin/true"], "kinds": ["notice."]},
            {"name": "mail", "kind": "email", "to": ["owner"], "enabled": False},
        ],
        warnings={"webhook": "http://127.0.0.1:9/w"},
        mail={"host": "localhost", "sender": "parkade@example.com"},
    )
    hook, page, mail, built_in = subscribers_of(file)
    assert (hook.secret, hook.shape) == (secret, Shape.EVENTBRIDGE)
    assert (page.channel, page.filter.kinds) == (Channel.COMMAND, ("notice.",))
    assert not mail.enabled
    assert (built_in.name, built_in.shape) == (BUILT_IN, Shape.NOTICE)
    assert built_in.filter.kinds == ("notice.",)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"kind": "webhook"}, "subscribers.0.name: Field required"),
        ({**HOOK, "urll": "x"}, "unknown setting subscribers.0.urll: did you mean 'url'?"),
        ({**HOOK, "url": ""}, "url is missing"),
        ({**HOOK, "kinds": ["Lease"]}, "kinds has 'Lease'"),
        ({**HOOK, "name": BUILT_IN}, "is that of the webhook of warnings"),
        ({"name": "p", "kind": "command", "command": ["page"]}, "'page' is not a full path"),
        ({"name": "c", "kind": "slack", "url": HOOK["url"], "secret_file": "/s"}, "secret_file"),
    ],
)
def test_what_cannot_be_is_told_with_its_place(read, entry, told):
    assert told in refusal(lambda: read(subscribers=[entry]))


def test_a_name_stands_once(read):
    assert "the name 'ops' twice" in refusal(lambda: read(subscribers=[HOOK, HOOK]))


def test_an_unknown_setting_of_mail_gets_the_one_that_was_meant(read):
    told = refusal(lambda: read(mail={"host": "h", "sender": "a@b", "prot": 1}))
    assert "unknown setting mail.prot: did you mean 'port'?" in told


def test_a_webhook_of_warnings_that_cannot_be_posted_to_is_refused(read):
    assert "warnings.webhook" in refusal(lambda: read(warnings={"webhook": "http://["}))


@pytest.mark.parametrize("content", [None, "hush", b"\xff"])
def test_a_secret_that_cannot_be_used_is_told_without_it(read, tmp_path, content):
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    file = read(subscribers=[{**HOOK, "secret_file": str(path)}])
    assert "hush" not in refusal(lambda: subscribers_of(file))


def test_what_is_changed_in_the_file_is_taken_up_by_a_reload(tmp_path):
    settings = tmp_path / "server.yaml"
    settings.write_text("")
    with (
        house(tmp_path / "state", "--config", str(settings)) as own,
        receiver(200) as former,
        receiver(200) as present,
    ):

        def to(hook):
            settings.write_text(
                yaml.safe_dump(
                    {
                        "subscribers": [{**HOOK, "url": hook.url, "kinds": ["token."]}],
                        "warnings": {"webhook": former.url},
                    }
                )
            )
            own.ok("POST", "/v1/reload")

        def names():
            listed = own.ok("GET", "/v1/subscribers").json()["subscribers"]
            return [(each["name"], each["fixed"]) for each in listed]

        to(former)
        assert names() == [("ops", True), (BUILT_IN, True)]
        own.ok("POST", "/v1/tokens", json={"name": "ann"})
        former.wait_for(1)
        to(present)
        own.ok("POST", "/v1/tokens", json={"name": "eve"})
        ((_, content),) = present.wait_for(1)
        assert content["data"]["name"] == "eve"
        assert len(former.got) == 1
        settings.write_text("subscribers: [{name: ops}]")
        assert own.call("POST", "/v1/reload").status_code == 400
        assert names() == [("ops", True), (BUILT_IN, True)]
        settings.write_text("")
        own.ok("POST", "/v1/reload")
        wait_for(lambda: names() == [])
