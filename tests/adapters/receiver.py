"""A receiver of webhooks on a real socket, which answers as told."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver(ThreadingHTTPServer):
    """Keeps what it gets in `got`; answers with `statuses` in turn, the last one for ever."""

    daemon_threads = False

    def __init__(self, *statuses):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = list(statuses)
        self.got = []
        #: The headers and bytes of the same.
        self.raw = []
        #: What its answers have beside the usual.
        self.headers = {}
        self.arrived = threading.Condition()
        self.held = threading.Event()
        self.held.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook?secret=hush"

    def wait_for(self, number):
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= number, 60)
            return list(self.got)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        content = json.loads(body)
        with server.arrived:
            server.raw.append((dict(self.headers), body))
            server.got.append((self.headers["Content-Type"], content))
            status = server.statuses.pop(0) if len(server.statuses) > 1 else server.statuses[0]
            server.arrived.notify_all()
        server.held.wait(60)
        try:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            for name, value in server.headers.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
        except ConnectionError:
            self.close_connection = True  # the sender did not wait

    def log_message(self, *arguments):
        """Say nothing."""


@contextmanager
def receiver(*statuses):
    with Receiver(*statuses) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.held.set()
            server.shutdown()
            thread.join()
