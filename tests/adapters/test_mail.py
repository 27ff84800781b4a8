"""Mail through a real SMTP server that takes it, greylists, refuses, or wants to know who sends."""

import shutil
from email.utils import parsedate_to_datetime

import pytest

from parkade.adapters.smtp.mail import MailChannel, MailServer
from parkade.domain.errors import Undelivered
from parkade.ports.channels import Message
from tests.adapters.mailbox import certificate, mailbox
from tests.builders import NOW, an_event
from tests.house import PATIENCE

ANN, EVE = "ann@example.com", "eve@example.com"
LINK = "http://parkade.example/x/abc.def"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes it")


def a_server(box, **changes):
    defaults = {
        "host": "127.0.0.1",
        "port": getattr(box, "port", box),
        "security": "none",
        "sender": "meter@parkade.example",
    }
    return MailServer(**{**defaults, **changes})


def a_message(**changes):
    event = an_event(
        **{
            "kind": "notice.expiry",
            "number": 7,
            "owner": ANN,
            "reason": "it stops in <2 min> ü",
            "data": {"link": LINK, "expires_at": "2026-03-01T12:02:00Z"},
            **changes,
        }
    )
    return Message(id="evt_here_7", event=event, content={}, sent_at=NOW)


def send(server, *, to=(ANN,), **changes):
    MailChannel(to, lambda: server, patience=PATIENCE).deliver(a_message(**changes))


def refusal(act):
    with pytest.raises(Undelivered) as caught:
        act()
    return caught.value


def test_a_mail_says_what_happens_in_text_and_html_under_a_short_subject():
    with mailbox() as box:
        send(a_server(box))
    ((sender, to, mail),) = box.got
    assert (sender, to) == ("meter@parkade.example", [ANN])
    assert mail["Subject"] == "falcon: it stops in <2 min> ü"
    assert mail["From"] == "Parkade <meter@parkade.example>"
    assert mail["To"] == ANN
    assert mail["Message-ID"] == "<evt_here_7@parkade.example>"
    assert parsedate_to_datetime(mail["Date"]) == NOW
    assert mail["Auto-Submitted"] == "auto-generated"
    plain = mail.get_body(["plain"]).get_content().replace("\r\n", "\n")
    assert plain.startswith("it stops in <2 min> ü\n\nGive falcon more time:\n" + LINK)
    for fact in ("Endpoint: falcon", f"Owner: {ANN}", "Paid until: 2026-03-01T12:02:00Z"):
        assert fact in plain
    page = mail.get_body(["html"]).get_content()
    assert "it stops in &lt;2 min&gt; ü" in page
    assert f'href="{LINK}"' in page


def test_a_mail_without_a_link_has_no_button():
    with mailbox() as box:
        send(a_server(box), data={})
    page = box.got[0][2].get_body(["html"]).get_content()
    assert "<a " not in page


def test_a_reason_of_many_lines_makes_no_headers():
    with mailbox() as box:
        send(a_server(box), reason="a\nBcc: eve@example.com\n" + "x" * 300)
    mail = box.got[0][2]
    assert mail["Bcc"] is None
    assert len(mail["Subject"]) <= 110
    assert box.got[0][1] == [ANN]


def test_the_owner_gets_it_where_the_owner_is_an_address():
    with mailbox() as box:
        send(a_server(box), to=("owner", EVE))
        send(a_server(box), to=("owner",), owner="team-a")
    assert [to for _, to, _ in box.got] == [[ANN, EVE]]


def test_greylisting_is_tried_again_and_then_taken():
    with mailbox() as box:
        box.takes = lambda _address: "451 4.7.1 come back later"
        error = refusal(lambda: send(a_server(box)))
        assert not error.final
        assert "451" in error.message
        assert "come back later" in error.message
        box.takes = lambda _address: "250 OK"
        send(a_server(box))
    assert len(box.got) == 1


@pytest.mark.parametrize("stage", ["takes", "says"])
def test_a_refusal_is_final(stage):
    with mailbox() as box:
        setattr(box, stage, lambda *_: "550 5.1.1 nobody here")
        error = refusal(lambda: send(a_server(box)))
    assert error.final
    assert "550" in error.message


def test_where_one_of_several_is_refused_the_others_have_it(caplog):
    with mailbox() as box:
        box.takes = lambda address: "250 OK" if address == ANN else "550 nobody here"
        send(a_server(box), to=(ANN, EVE))
    assert box.got[0][1] == [ANN]
    assert f"mail to {EVE} was refused" in caplog.text


def test_a_login_is_made_with_the_password_of_the_file(tmp_path):
    password = tmp_path / "password"
    password.write_text("pass word\n")
    with mailbox(login=True) as box:
        send(a_server(box, user="meter", password_file=str(password)))
        password.write_text("wrong\n")
        error = refusal(lambda: send(a_server(box, user="meter", password_file=str(password))))
        assert not error.final  # the password can be put right
        password.unlink()
        error = refusal(lambda: send(a_server(box, user="meter", password_file=str(password))))
    assert box.logins[0] is True
    assert not any(box.logins[1:])
    assert len(box.got) == 1
    assert "password" in error.message
    assert "pass word" not in error.message


@needs_openssl
def test_starttls_protects_the_mail_and_wants_a_certificate_that_is_trusted(tmp_path):
    file, context = certificate(tmp_path)
    with mailbox(tls=context) as box:
        send(a_server(box, security="starttls", ca_file=str(file)))
        assert box.encrypted == [True]
        error = refusal(lambda: send(a_server(box, security="starttls")))
        assert not error.final
        assert "CERTIFICATE_VERIFY_FAILED" in error.message
        error = refusal(lambda: send(a_server(box)))
        assert "530" in error.message
    assert len(box.got) == 1


def test_starttls_is_never_left_out_where_the_server_has_none():
    with mailbox() as box:
        error = refusal(lambda: send(a_server(box, security="starttls")))
    assert "STARTTLS" in error.message
    assert box.got == []


def test_a_server_that_is_not_there_may_come_back(closed_port):
    error = refusal(lambda: send(a_server(closed_port)))
    assert not error.final
    assert "ConnectionRefusedError" in error.message


def test_without_a_mail_server_the_reason_names_the_setting():
    error = refusal(lambda: send(None))
    assert not error.final
    assert "no section mail" in error.message
