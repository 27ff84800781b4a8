"""The document: what is sent to a server, which has neither the client's files nor its environment.

It is the content of the file with every folder and archive replaced by the `s3://` address it was
stored at. Secrets stay references in it; their values come beside, under `secrets`, and are no part
of what is remembered of a project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, ValidationError, model_validator

from parkade.apps.projectfile import checks
from parkade.apps.projectfile.content import Content
from parkade.apps.projectfile.explaining import explained
from parkade.apps.projectfile.models import Data, Embedded
from parkade.apps.projectfile.problem import refusal, spelt
from parkade.apps.projectfile.references import Reference
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.apps.projectfile.problem import Place
    from parkade.domain.event import Json


class Document(Content):
    """A project at one stage, whole in itself."""

    secrets: dict[str, str] = Field(
        default={},
        repr=False,
        description="values of the references, by what they name: `env:HF_TOKEN`. Never shown.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for place, data in containers(self):
            for name in ("source", "archive"):
                if getattr(data, name) is not None:
                    raise ValueError(
                        f"{spelt((*place, name))} is on the client: store it, and give data; "
                        "parkade apply does so"
                    )
        if self.tester is not None and isinstance(self.tester.cases, str):
            raise ValueError("tester.cases is a file on the client: give the cases themselves")
        return self

    def remembered(self) -> dict[str, Json]:
        """Return what a server keeps of it: all but the values of secrets. `read` takes it."""
        return self.model_dump(mode="json", exclude_unset=True, exclude={"secrets"})

    def sent(self) -> dict[str, Json]:
        """Return it as a request's body."""
        return self.model_dump(mode="json", exclude_unset=True)

    def value(self, given: str | Reference) -> str:
        """Return a text, or the secret that it refers to. Raises InvalidInput where it is missing."""
        if isinstance(given, str):
            return given
        if str(given) in self.secrets:
            return self.secrets[str(given)]
        if given.aws_secret is not None:
            raise InvalidInput(
                f"{given} is kept by AWS Secrets Manager, which this server does not read",
                field="secrets",
                hint="give {env: NAME} or {file: PATH} at this stage",
            )
        raise InvalidInput(
            f"the value of {given} was not sent",
            field="secrets",
            hint="apply the file with: parkade apply",
        )


def read(body: object) -> Document:
    """Return the document of a request's body. Raises InvalidInput, which tells all that is wrong."""
    try:
        document = Document.model_validate(body)
    except ValidationError as error:
        raise refusal(explained(error, Document)) from error
    found = checks.problems(document)
    if found:
        raise refusal(found)
    return document


def containers(content: Content) -> Iterator[tuple[Place, Data]]:
    """Go through all that has files and an environment, each with its place."""
    for key, model in content.models.items():
        yield ("models", key), model
        for number, each in enumerate(model.containers or ()):
            yield ("models", key, "containers", number), each
        if isinstance(model.embedded, Embedded):
            yield ("models", key, "embedded"), model.embedded


def references(content: Content) -> Iterator[tuple[Place, Reference]]:
    """Go through all references to secrets that a server needs, each with its place.

    The tester's token is none of them: the server asks as itself, and who tests from outside reads it.
    """
    for place, data in containers(content):
        for name, value in data.environment.items():
            if isinstance(value, Reference):
                yield (*place, "environment", name), value
    for number, each in enumerate(content.monitor.subscribers):
        if isinstance(each, str):
            continue
        for name in ("url", "secret"):
            value = getattr(each, name)
            if isinstance(value, Reference):
                yield ("monitor", "subscribers", number, name), value
