"""Faults at every step: ports that fail, or end the process, at the call they are told to."""


class Crash(BaseException):
    """The process is gone; nothing catches this, as nothing catches a SIGKILL."""


class Fault:
    """Counts the calls of all ports it wraps; at one of them it raises, before or after it."""

    def __init__(self, at=None, error=None, *, after=False):
        self.at = at
        self.error = error
        self.after = after
        #: Every call as "port.method".
        self.calls = []

    def wrap(self, name, port):
        return _Port(self, name, port)

    def call(self, name, method, arguments, keywords):
        self.calls.append(name)
        struck = len(self.calls) - 1 == self.at
        if struck and not self.after:
            raise self.error
        result = method(*arguments, **keywords)
        if struck:
            raise self.error
        return result


class _Port:
    def __init__(self, fault, name, port):
        self._fault = fault
        self._name = name
        self._port = port

    def __getattr__(self, method):
        bound = getattr(self._port, method)

        def call(*arguments, **keywords):
            return self._fault.call(f"{self._name}.{method}", bound, arguments, keywords)

        return call


def faulty(world, fault, **options):
    """The sweep of this world, with every port under the fault."""
    return world.a_sweep(
        **options,
        **{
            name: fault.wrap(name, getattr(world, name))
            for name in ("book", "hosting", "history", "notices", "clock")
        },
    )
