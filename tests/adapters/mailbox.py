"""A real SMTP server on a real socket, which answers as told."""

import ssl
import subprocess
import threading
from contextlib import contextmanager
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from tests.house import PATIENCE


class Mailbox:
    """Keeps what it gets in `got`; `says` answers DATA, `takes` answers a recipient."""

    def __init__(self):
        self.got = []
        self.says = lambda: "250 OK"
        self.takes = lambda _address: "250 OK"
        self.logins = []
        self.encrypted = []
        self.arrived = threading.Condition()

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  its name
        answer = self.takes(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        answer = self.says()
        with self.arrived:
            if answer.startswith("250"):
                mail = message_from_bytes(envelope.content, policy=policy.default)
                self.got.append((envelope.mail_from, list(envelope.rcpt_tos), mail))
                self.encrypted.append(session.ssl is not None)
            self.arrived.notify_all()
        return answer

    def login(self, server, session, envelope, mechanism, data):
        known = isinstance(data, LoginPassword) and data == LoginPassword(b"meter", b"pass word")
        self.logins.append(known)
        return AuthResult(success=known, handled=known)

    def wait_for(self, number):
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= number, 60)
            return list(self.got)


class _Controller(Controller):
    def factory(self):
        return SMTP(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self):
        # It was started on whichever port was free.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mailbox(*, tls=None, login=False):
    """Serve a mailbox; `tls` is a server's context, for STARTTLS."""
    box = Mailbox()
    options = {"tls_context": tls, "require_starttls": True} if tls is not None else {}
    if login:
        options |= {"authenticator": box.login}
        options |= {"auth_require_tls": tls is not None}
    controller = _Controller(box, hostname="127.0.0.1", port=0, ready_timeout=PATIENCE, **options)
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()


def certificate(folder):
    """Make a certificate for 127.0.0.1 by openssl; return its file and a server's context with it."""
    file, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(file)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return file, context
