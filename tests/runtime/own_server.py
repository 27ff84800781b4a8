"""A server of somebody's own, as an image may hold: answers on a port, or on a socket.

`own_server.py [--socket PATH]`; without it, on the port of SAGEMAKER_BIND_TO_PORT. Its health is at
/ping, or where OWN_HEALTH says; other requests are answered with its environment and arguments.
"""

import json
import os
import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        well = self.path == os.environ.get("OWN_HEALTH", "/ping")
        self.send_response(200 if well else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        base = Path(os.environ["SAGEMAKER_BASE_DIR"], "model")
        told = {
            "environment": dict(os.environ),
            "arguments": sys.argv[1:],
            "model": sorted(path.name for path in base.iterdir()),
        }
        answer = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def address_string(self):
        return "somebody"


def main():
    if "--socket" in sys.argv:
        server = socketserver.ThreadingUnixStreamServer(
            sys.argv[sys.argv.index("--socket") + 1], Handler
        )
    else:
        port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
        server = socketserver.ThreadingTCPServer(
            ("127.0.0.1", port), Handler, bind_and_activate=False
        )
        server.allow_reuse_address = True
        server.server_bind()
        server.server_activate()
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
