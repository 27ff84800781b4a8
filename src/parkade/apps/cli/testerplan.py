"""What `parkade tester` asks: an endpoint or a route, by name or as a project's file has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.adapters.http.caller import Address, HttpCaller
from parkade.apps import settings
from parkade.apps.cli import aims
from parkade.domain import cases, names, ownrequests
from parkade.domain.cases import FILE
from parkade.domain.errors import InvalidInput
from parkade.domain.tester.course import Course
from parkade.domain.tester.measures import Labels

if TYPE_CHECKING:
    from pathlib import Path

    from parkade.apps.projectfile.reading import ProjectFile
    from parkade.apps.projectfile.tester import TesterSetting
    from parkade.apps.settings import ClientSettings
    from parkade.domain.cases import Case

_USUAL = Course()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was given on the command line; None: it was not."""

    file: Path | None = None
    stage: str | None = None
    endpoint: str | None = None
    variant: str | None = None
    route: str | None = None
    cases: Path | None = None
    clients: int | None = None
    interval: float | None = None
    duration: float | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked, of whom, and how."""

    url: str
    path: str
    #: The endpoint's name; empty where it is known by a route alone.
    endpoint: str
    route: str
    variant: str
    token: str
    cases: tuple[Case, ...]
    course: Course
    labels: Labels

    @property
    def title(self) -> str:
        """What it is about, for people."""
        named = self.route or self.endpoint
        return f"{named}/{self.variant}" if self.variant else named

    def address(self) -> Address:
        """Return where callers connect to. Raises InvalidInput for a URL that cannot be called."""
        headers = {
            "User-Agent": "parkade-tester",
            aims.INFERENCE_ID: ownrequests.inference_id(ownrequests.TEST, "tester"),
        }
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.variant:
            headers[aims.VARIANT] = self.variant
        return Address.of(self.url, self.path, headers)

    def caller(self, address: Address) -> HttpCaller:
        """Return a new caller, with a connection of its own."""
        return HttpCaller(address, timeout=self.course.timeout)


def plan(asked: Asked) -> Plan:
    """Return what is to be asked. Raises InvalidInput, or BadFile for a project's file."""
    client = settings.client_settings(settings.state_paths())
    named = [each for each in (asked.endpoint, asked.route) if each is not None]
    if len(named) > 1 or (named and (asked.file or asked.stage)):
        raise InvalidInput(
            "more than one thing is to be asked",
            field="endpoint",
            hint="give one of --endpoint, --route and --file",
        )
    if asked.variant is not None and asked.endpoint is None:
        raise InvalidInput(
            "--variant goes with --endpoint", field="variant", hint="name the endpoint, too"
        )
    if named:
        return _named(asked, client)
    return _of_file(asked, client)


def _named(asked: Asked, client: ClientSettings) -> Plan:
    if asked.cases is None:
        raise InvalidInput(
            "there are no cases to ask",
            field="cases",
            hint=f"give them with --cases, such as a model folder's {FILE}",
        )
    endpoint = names.endpoint_name(asked.endpoint, field="endpoint") if asked.endpoint else ""
    route = names.route_path(asked.route, field="route") if asked.route else ""
    variant = names.endpoint_name(asked.variant, field="variant") if asked.variant else ""
    return Plan(
        url=client.url,
        path=route or f"/endpoints/{endpoint}/invocations",
        endpoint=endpoint,
        route=route,
        variant=variant,
        token=client.token,
        cases=_cases(asked.cases),
        course=_course(asked, _USUAL),
        labels=Labels(by_route=bool(route)),
    )


def _of_file(asked: Asked, client: ClientSettings) -> Plan:
    # Its forms take a while to make; what is asked by name need not wait for them.
    from pathlib import Path  # noqa: PLC0415

    from parkade.apps.projectfile import reading  # noqa: PLC0415

    path = asked.file or Path(reading.USUAL)
    if asked.file is None and not path.is_file():
        raise InvalidInput(
            f"it is not said what to ask, and there is no {path} here",
            field="endpoint",
            hint="give --endpoint NAME, --route /PATH or --file FILE; or NAME of a tester of the server",
        )
    file = reading.read(path, stage=asked.stage, environment=settings.variables(), whole=False)
    tester = file.content.tester
    if tester is None:
        raise InvalidInput(
            f"{path} has no tester", field="file", hint="add the section tester, or give --endpoint"
        )
    content = file.content
    endpoint = f"{content.prefix}-{tester.endpoint}" if tester.endpoint else ""
    usual = Course(
        clients=tester.clients,
        interval=tester.interval_seconds,
        duration=tester.duration_seconds,
    )
    route = tester.route or ""
    return Plan(
        url=client.url,
        path=route or f"/endpoints/{endpoint}/invocations",
        endpoint=endpoint,
        route=route,
        variant="",
        token=_token(file, tester) or client.token,
        cases=_cases(asked.cases) if asked.cases else _file_cases(file, tester),
        course=_course(asked, usual),
        labels=Labels(
            project=content.project,
            **({"stage": content.stage} if content.stage else {}),
            by_route=bool(route),
        ),
    )


def _file_cases(file: ProjectFile, tester: TesterSetting) -> tuple[Case, ...]:
    import json  # noqa: PLC0415

    if isinstance(tester.cases, str):
        return _cases(file.path.parent / tester.cases)
    return cases.read(json.dumps(tester.cases), name=f"{file.path}: tester.cases")


def _token(file: ProjectFile, tester: TesterSetting) -> str:
    if tester.token is None:
        return ""
    from parkade.apps.projectfile import secrets  # noqa: PLC0415
    from parkade.apps.projectfile.problem import Problem  # noqa: PLC0415

    found = secrets.read(tester.token, ("tester", "token"), file.path.parent, settings.variables())
    if isinstance(found, Problem):
        raise InvalidInput(
            f"{file.path}: tester.token: {found.message}", field="token", hint=found.hint
        )
    return found or ""


def _cases(path: Path) -> tuple[Case, ...]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InvalidInput(
            f"{path} cannot be read: {why}",
            field="cases",
            hint=f"name a file of cases, such as a model folder's {FILE}",
        ) from error
    return cases.read(text, name=str(path))


def _course(asked: Asked, usual: Course) -> Course:
    def of(given: float | None, else_: float) -> float:
        return else_ if given is None else given

    return Course(
        clients=usual.clients if asked.clients is None else asked.clients,
        interval=of(asked.interval, usual.interval),
        duration=of(asked.duration, usual.duration),
        timeout=of(asked.timeout, usual.timeout),
    )
