"""`execution`: the task of `execution.asl.json`, one invocation that may take minutes.

    given     {"endpointname", "body", "execution"}
    answered  {"Body", "ContentType"}; an answer that is too long for a state machine is kept in the
              bucket, and told as {"BodyLocation", "ContentType"}

An endpoint that is not there, and that a request wakes, is asked for: the machine comes again until
it serves. Errors of the runtime are called as Step Functions calls them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from parkade.apps.lambdas.start import Function
from parkade.domain.errors import LeaseNotFound, Unreadable
from parkade.domain.standing import State, standing
from parkade.services.executions import ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.lambdas.invoke import Passage, Reply
    from parkade.apps.lambdas.start import Call
    from parkade.apps.settings import FunctionSettings
    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.ports.clock import Clock
    from parkade.ports.leases import LeaseBook
    from parkade.ports.terms import TermsStore
    from parkade.services.waking import Waking

#: bytes. Step Functions' limit of what a state gives, with room for what stands around a body.
LIMIT = 262_144 - 4_096
#: Seconds that an invocation may take: SageMaker waits for a model for 60.
PATIENCE = 80.0
_TYPE = "Content-Type"


class EndpointStarting(Exception):
    """The endpoint is not there yet, and will be: the machine comes again."""


class Keeping(Protocol):
    """Keeps answers."""

    def __call__(self, name: str, content: bytes, content_type: str) -> str:
        """Keep an answer; return its s3:// address."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What an execution works with."""

    passage: Passage
    book: LeaseBook
    terms: TermsStore
    waking: Waking
    look: Callable[[str], ObservedEndpoint | None]
    clock: Clock
    keep: Keeping


class Execution:
    """Answers one task."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def __call__(self, event: Mapping[str, Any], _: Call) -> dict[str, Any]:
        """Invoke the endpoint. Raises EndpointStarting, and the runtime's errors by their names."""
        name, body = str(event["endpointname"]), event["body"]
        text = body if isinstance(body, str) else json.dumps(body)
        reply = self._means.passage.invoke(
            name, text.encode(), {"content-type": "application/json"}
        )
        if reply.error:
            self._refused(name, reply)
        content_type = reply.headers.get(_TYPE, "")
        answer = {"Body": reply.body.decode(errors="replace"), "ContentType": content_type}
        if len(json.dumps(answer)) <= LIMIT:
            return answer
        execution = str(event["execution"]).rpartition(":")[2]
        place = self._means.keep(execution, reply.body, content_type)
        return {"BodyLocation": place, "ContentType": content_type}

    def _refused(self, name: str, reply: Reply) -> NoReturn:
        absent = reply.status == 400 and "not found" in reply.message
        if absent and self._comes(name):
            raise EndpointStarting(f"{name} is being started")
        raise _named(ERRORS.get(reply.status, f"SageMakerRuntime.{reply.error}"))(
            reply.body.decode(errors="replace")
        )

    def _comes(self, name: str) -> bool:
        """Tell whether the endpoint will be there; what a request wakes is asked for."""
        means = self._means
        try:
            lease, terms = means.book.get(name), means.terms.get(name)
        except (LeaseNotFound, Unreadable):
            return False
        stands = standing(lease, means.look(name), means.clock.now(), terms=terms)
        if stands.wakes:
            return means.waking.ask(name, "an execution waits for it")
        return stands.state in {State.STARTING, State.RUNNING}


def _named(name: str) -> type[Exception]:
    """Return an error of this name: Lambda tells state machines the name of its class."""
    return type(name, (Exception,), {})


def _build(settings: FunctionSettings) -> Execution:
    from parkade.apps.lambdas.invoking import Callers  # noqa: PLC0415  at the first call

    callers = Callers(settings)
    return Execution(
        Means(
            passage=callers.passage(PATIENCE),
            book=callers.book,
            terms=callers.terms,
            waking=callers.waking,
            look=callers.look,
            clock=callers.clock,
            keep=callers.keep,
        )
    )


handler = Function(_build)
