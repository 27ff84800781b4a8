"""Runs first in every function's process: gives it the tests' clock, and records its AWS calls.

Lambda functions are run as they are; two things about their surroundings are not. Time: Parkade's
clock of the system is set forward by the seconds in the file that PARKADE_TEST_CLOCK names, and so
is that of botocore's signatures. And each call that botocore makes is appended, as a line of JSON,
to the file that PARKADE_TEST_CALLS names. The embedded runtime's processes get the same clock; and
where PARKADE_TEST_MINUTES is set its CloudWatch takes what SageMaker would have told of minutes that
the clock was set past.
"""

import importlib.abc
import importlib.machinery
import json
import os
import sys
from datetime import timedelta
from pathlib import Path

_CLOCK = os.environ.get("PARKADE_TEST_CLOCK")
_CALLS = os.environ.get("PARKADE_TEST_CALLS")


def _ahead():
    return timedelta(seconds=float(Path(_CLOCK).read_text()))


def _moved(module):
    """Set the wall clock of `SystemClock` forward, as somebody might who sets the machine's."""
    plain = module._wall
    defaults = module.SystemClock.__init__.__defaults__
    assert defaults[0] is plain
    module.SystemClock.__init__.__defaults__ = (lambda: plain() + _ahead(), *defaults[1:])


def _signed(module):
    plain = module.get_current_datetime
    module.get_current_datetime = lambda *given, **named: plain(*given, **named) + _ahead()


def _recorded(module):
    plain = module.BaseClient._make_api_call

    def call(self, operation_name, api_params):
        line = {
            "function": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
            "service": self.meta.service_model.service_name,
            "signing": self.meta.service_model.signing_name,
            "operation": operation_name,
            "parameters": api_params,
        }
        text = json.dumps(line, default=lambda value: f"<{type(value).__name__}>") + "\n"
        # All at once: several processes write there.
        file = os.open(_CALLS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(file, text.encode())
        finally:
            os.close(file)
        return plain(self, operation_name, api_params)

    module.BaseClient._make_api_call = call


def _told_by_tests(module):
    module.reserved = lambda namespace: False


_CHANGES = {}
if _CLOCK:
    _CHANGES["parkade.adapters.system.clock"] = _moved
    _CHANGES["botocore.auth"] = _signed
if _CALLS:
    _CHANGES["botocore.client"] = _recorded

if os.environ.get("PARKADE_TEST_MINUTES"):
    _CHANGES["parkade.apps.cloudwatch.writing"] = _told_by_tests


class _Loader(importlib.abc.Loader):
    """Loads a module as its own loader does, and changes it then."""

    def __init__(self, plain, change):
        self._plain, self._change = plain, change

    def create_module(self, spec):
        return self._plain.create_module(spec)

    def exec_module(self, module):
        self._plain.exec_module(module)
        self._change(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules to be changed where they are, and nothing else."""

    def find_spec(self, name, path=None, target=None):
        if name not in _CHANGES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = _Loader(spec.loader, _CHANGES[name])
        return spec


sys.meta_path.insert(0, _Finder())
