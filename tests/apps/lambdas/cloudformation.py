"""CloudFormation, as custom resources see it: it asks, and takes the answer at an address of its own."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


class Asking:
    """Asks functions for resources; `answers` are what it was told."""

    def __init__(self, url):
        self._url = url
        self.answers = []

    def ask(self, function, request, call, *, known="known", **properties):
        """Ask, and return what CloudFormation was told, if it was; `known` is the id of what it has."""
        former = {} if request != "Update" else {"OldResourceProperties": {"Content": "{}"}}
        its_id = {} if request == "Create" else {"PhysicalResourceId": known}
        event = {
            "RequestType": request,
            "StackId": "stack",
            "RequestId": str(len(self.answers)),
            "LogicalResourceId": "It",
            "ResponseURL": self._url,
            "ResourceProperties": {"ServiceToken": "arn", **properties},
            **former,
            **its_id,
        }
        return self.call(function, event, call)

    def call(self, function, event, call):
        """Call the function with an event; return what CloudFormation was told, if it was."""
        before = len(self.answers)
        function(event, call)
        return self.answers[-1] if len(self.answers) > before else None


@contextmanager
def cloudformation():
    """Run it on the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asking.answers.append(json.loads(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    asking = Asking(f"http://127.0.0.1:{server.server_port}/answer")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield asking
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
