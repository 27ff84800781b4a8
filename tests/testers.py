"""Rounds of testers in memory, and what they see of endpoints."""

from datetime import timedelta

from parkade.adapters.memory.runners import MemoryRunner
from parkade.services.testing.rounds import Means, Rounds


class KnownSight:
    """Endpoints as a test wants them to be seen."""

    def __init__(self):
        #: Endpoints by route.
        self.routes = {"/falcon": "falcon"}
        #: Why endpoints do not serve, what follows from idleness, when they were used.
        self.absences = {}
        self.ladders = {}
        self.uses = {}

    def leads_to(self, route):
        return self.routes.get(route, "")

    def absent(self, endpoint_name):
        return self.absences.get(endpoint_name, "")

    def heeded(self, endpoint_name):
        return self.ladders.get(endpoint_name, "")

    def used_at(self, endpoint_name):
        return self.uses.get(endpoint_name)


def a_rounds(*, store, metrics, history, clock, objects, spawn, room=2, changed=lambda: None):
    """Rounds over these stores; `means.runner` and `means.sight` are the test's to change."""
    return Rounds(
        Means(
            store=store,
            runner=MemoryRunner(),
            sight=KnownSight(),
            objects=objects,
            metrics=metrics,
            history=history,
            clock=clock,
            scale=1.0,
            room=lambda: room,
            spawn=spawn,
            changed=changed,
        )
    )


def seconds(number):
    return timedelta(seconds=number)
