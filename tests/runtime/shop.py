"""A home whose models use packages and tell all of themselves; it keeps standby processes."""

import json
from dataclasses import replace
from datetime import timedelta

from parkade.runtime import environments
from parkade.runtime.rules import Reserve
from tests.runtime.container.harness import UnixConnection
from tests.runtime.premises import Home, an_archive

#: Tells all that it can see of its own process.
CONFESSING = """
import library
import json, os, signal, sys, threading
from pathlib import Path

def seen():
    descriptors = sorted(
        os.readlink(f"/proc/self/fd/{n}").partition("[")[0]
        for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")
    )
    own = [e for e in Path("/proc/self/environ").read_text().split("\\0") if e]
    return {
        "arguments": sys.argv[:5],
        "original": sys.orig_argv[:-1],
        "listed": Path("/proc/self/cmdline").read_text().rstrip(" \\0").split("\\0")[:-1],
        "main": sys.modules["__main__"].__spec__.name,
        "environment": dict(os.environ),
        "shown": sorted(own),
        "folder": os.getcwd(),
        "path": sys.path,
        "leads": os.getsid(0) == os.getpid() == os.getpgid(0),
        "descriptors": descriptors,
        "threads": threading.active_count(),
        "oom": Path("/proc/self/oom_score_adj").read_text(),
        "umask": os.umask(0o22),
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "handlers": {n: str(signal.getsignal(n)) for n in (1, 2, 10, 13, 17)},
        "environ": type(os.environ).__name__,
    }

AT_LOAD = {}

def model_fn(folder):
    print("loading", flush=True)
    AT_LOAD.update(seen())

def transform_fn(model, body, content_type, accept):
    return json.dumps({"at load": AT_LOAD, "now": seen(), "library": library.READ})
"""

#: A package of the environment that a model imports.
LIBRARY = """
import os
READ = os.environ.get("LEVEL", "none")
print("the library is read with", READ, flush=True)
"""


class Shop(Home):
    """A home with the script container, packages, and models that use them."""

    def __init__(self, folder, **reserve):
        super().__init__(folder)
        reserve = {"processes": 1, "quiet": timedelta(0), **reserve}
        self.rules = replace(self.rules, reserve=Reserve(**reserve))
        self.containers = {"script": environments.script_command}
        self.packages = folder / "packages"
        self.packages.mkdir(exist_ok=True)
        (self.packages / "library.py").write_text(LIBRARY)

    def allow(self, host, processes):
        self.rules = replace(self.rules, reserve=replace(self.rules.reserve, processes=processes))
        host.configure(self.rules)

    def serve(
        self, host, script=CONFESSING, *, name="falcon", instances=1, files=(), **environment
    ):
        content = an_archive(**{"code/inference.py": script, **dict(files)})
        environment = {"PYTHONPATH": str(self.packages), **environment}
        self.deploy(host, name=name, instances=instances, content=content, **environment)


def answer(host, name="falcon"):
    """Ask the endpoint's first instance."""
    (variant,) = host.fleets()[name].variants
    connection = UnixConnection(variant.instances[0].addresses[0])
    connection.request("POST", "/invocations", "{}", {"Content-Type": "application/json"})
    with connection.getresponse() as response:
        assert response.status == 200
        told = json.loads(response.read())
    connection.close()
    return told
