"""A container in a few lines of the standard library, with the faults that tests ask for.

`MODE` in its environment names the fault; a file `mode` in the model folder does as well.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=Path)
    parser.add_argument("--model-dir", type=Path)
    parser.add_argument("--line", type=int)
    if sys.argv[1] == "--wait":
        # It starts without the packages of its interpreter, which this needs none of.
        sys.path.append(str(SRC))
        from parkade.runtime.container.line import Line
        from parkade.runtime.container.reserve import wait

        waiting = Line(int(sys.argv[2]))
        sys.argv[1:] = wait(waiting)
    arguments = parser.parse_args()
    mode = os.environ.get("MODE", "")
    told = arguments.model_dir / "mode"
    if told.exists():
        mode = told.read_text()
    if mode == "broken":
        say("loading the model\nno such layer: attention-7")
        sys.exit(3)
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mode == "forking":
        fork_away()
    if mode == "first life only" and mark_life(arguments.model_dir):
        sys.exit(4)
    if mode == "silent":
        signal.pause()
    status = b"503 Unavailable" if mode == "unwell" else b"200 OK"
    serve(arguments.socket, status, line=arguments.line, late=0.5 if mode == "late" else 0)


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def fork_away():
    """Leave two processes that ignore SIGTERM: one in our group, one in a session of its own."""
    sleeping = (
        "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True); signal.pause()"
    )
    for own_session in (False, True):
        child = subprocess.Popen(
            [sys.executable, "-S", "-c", sleeping],
            start_new_session=own_session,
            stdout=subprocess.PIPE,
        )
        child.stdout.readline()


def mark_life(folder):
    """Tell whether somebody has lived here before."""
    mark = folder / "lived"
    before = mark.exists()
    mark.touch()
    return before


def tell(line):
    """Say that it listens, and that it imported nothing of note."""
    told = [{"listens": True}, {"own": [], "others": [], "changed": {}}]
    # The host may be gone.
    with contextlib.suppress(ConnectionError):
        os.write(line, b"".join(json.dumps(each).encode() + b"\n" for each in told))
    os.close(line)


def serve(path, status, line, late):
    """Answer everything with the status, so many seconds later."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        say("listening")
        if line is not None:
            tell(line)
        while True:
            connection, _ = listening.accept()
            # Whoever asked may be gone by now.
            with connection, contextlib.suppress(ConnectionError):
                if connection.recv(65536):
                    time.sleep(late)
                    connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")


if __name__ == "__main__":
    main()
