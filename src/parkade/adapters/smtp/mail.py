"""Events by e-mail: plain text with the same in simple HTML, through the server of `mail`.

A mail that is refused with a 4xx code, as by greylisting, is tried again; with a 5xx code that is
final. What goes wrong before that, a wrong password too, is not the mail's fault. Where some of several recipients are refused the mail counts as delivered, for the others have it.
"""

from __future__ import annotations

import html
import logging
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from parkade.domain.errors import Undelivered
from parkade.domain.event import PROJECT, written
from parkade.domain.subscriber import recipients
from parkade.domain.wording import headline, link_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from parkade.domain.event import Event
    from parkade.ports.channels import Message

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail goes through, and as whom."""

    host: str
    port: int
    #: `starttls`, `tls` or `none`.
    security: str
    sender: str
    user: str | None = None
    password_file: str | None = None
    #: PEM file of certificates to trust instead of the system's.
    ca_file: str | None = None


class MailChannel:
    """The channel port. `server` is that of the settings as they are now, if there is one."""

    def __init__(
        self, to: tuple[str, ...], server: Callable[[], MailServer | None], *, patience: float
    ) -> None:
        self._to = to
        self._server = server
        self._patience = patience

    def deliver(self, message: Message) -> None:
        """Send one mail to all; an event that concerns none of the recipients is none of theirs."""
        server = self._server()
        if server is None:
            raise Undelivered("there is no mail server: server.yaml has no section mail")
        to = recipients(self._to, message.event.owner)
        if not to:
            return
        try:
            refused = self._send(server, letter(message, server.sender, to), to)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise _refusal(code, text) from error
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise _refusal(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, ssl.SSLError, OSError) as error:
            raise Undelivered(
                f"the mail server {server.host} cannot be used ({type(error).__name__}: {error})"
            ) from error
        for address, (code, text) in refused.items():
            logger.warning("mail to %s was refused: %s", address, _refusal(code, text).message)

    def _send(
        self, server: MailServer, mail: EmailMessage, to: tuple[str, ...]
    ) -> dict[str, tuple[int, bytes]]:
        context = ssl.create_default_context(cafile=server.ca_file)
        with self._connection(server, context) as connection:
            if server.security == "starttls":
                connection.starttls(context=context)
            if server.user is not None:
                connection.login(server.user, _password(server))
            return connection.send_message(mail, from_addr=server.sender, to_addrs=to)

    def _connection(self, server: MailServer, context: ssl.SSLContext) -> smtplib.SMTP:
        if server.security == "tls":
            return smtplib.SMTP_SSL(
                server.host, server.port, timeout=self._patience, context=context
            )
        return smtplib.SMTP(server.host, server.port, timeout=self._patience)


def _password(server: MailServer) -> str:
    if server.password_file is None:
        return ""
    return Path(server.password_file).read_text(encoding="utf-8").rstrip("\r\n")


def _refusal(code: int, text: bytes | str) -> Undelivered:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return Undelivered(f"the mail server answered {code} {said[:200]}", final=code >= 500)


def letter(message: Message, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """Return the mail; its Message-ID is the same for every attempt."""
    event = message.event
    mail = EmailMessage()
    mail["From"] = f"Parkade <{sender}>"
    mail["To"] = ", ".join(to)
    mail["Subject"] = headline(event)
    mail["Date"] = format_datetime(message.sent_at)
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
    # So that nobody's absence is answered to a meter.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    link = event.data.get("link")
    mail.set_content(_plain(event, link if isinstance(link, str) else ""))
    mail.add_alternative(_page(event, link if isinstance(link, str) else ""), subtype="html")
    return mail


def _facts(event: Event) -> list[tuple[str, str]]:
    facts = [
        ("Project", str(event.data.get(PROJECT) or "")),
        ("Endpoint", event.endpoint_name),
        ("Owner", event.owner),
        ("When", written(event.at)),
        ("Paid until", str(event.data.get("expires_at") or "")),
        ("By", event.actor),
        ("Event", f"{event.kind}, number {event.number}" if event.number else event.kind),
    ]
    return [(label, fact) for label, fact in facts if fact]


def _plain(event: Event, link: str) -> str:
    parts = [event.reason]
    if link:
        parts.append(f"{link_text(event)}:\n{link}")
    parts.append("\n".join(f"{label}: {fact}" for label, fact in _facts(event)))
    return "\n\n".join(parts) + "\n"


def _page(event: Event, link: str) -> str:
    rows = "".join(
        f'<tr><td style="padding:2px 16px 2px 0;color:#666">{html.escape(label)}</td>'
        f"<td>{html.escape(fact)}</td></tr>"
        for label, fact in _facts(event)
    )
    button = (
        f'<p><a href="{html.escape(link)}" style="display:inline-block;padding:10px 18px;'
        "border-radius:6px;background:#1d4ed8;color:#ffffff;text-decoration:none"
        f'">{html.escape(link_text(event))}</a></p>'
        if link
        else ""
    )
    return (
        '<!doctype html><html><body style="font-family:sans-serif;font-size:15px">'
        f"<p>{html.escape(event.reason)}</p>{button}"
        f'<table style="font-size:13px;border-collapse:collapse">{rows}</table></body></html>'
    )
