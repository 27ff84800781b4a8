"""References to secrets: a file names where one is, and never holds it."""

from typing import Annotated, Self

from pydantic import Discriminator, Field, Tag, model_validator

from parkade.apps.projectfile.base import Section, Value


class Reference(Section):
    """Where a secret is; exactly one of the three."""

    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = Field(
        default=None, description="variable of the environment that the file is applied from."
    )
    file: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="file whose first line it is; a relative path begins at the folder of "
        "parkade.yaml.",
    )
    aws_secret: Annotated[str, Field(pattern=r"^arn:aws[a-z\-]*:secretsmanager:[^\s]+$")] | None = (
        Field(default=None, description="ARN of a secret of AWS Secrets Manager; on AWS alone.")
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len([each for each in (self.env, self.file, self.aws_secret) if each is not None]) != 1:
            raise ValueError("give exactly one of env, file and aws_secret")
        return self

    def __str__(self) -> str:
        """Name the place; what a document's `secrets` are kept by."""
        if self.env is not None:
            return f"env:{self.env}"
        return f"file:{self.file}" if self.file is not None else f"aws_secret:{self.aws_secret}"


def _form(given: object) -> str:
    return BY_REFERENCE if isinstance(given, dict | Reference) else AS_TEXT


#: Which of its forms a value is given in; pydantic names them in the places of errors.
AS_TEXT, BY_REFERENCE = "(text)", "(reference)"
#: A text, or where it is to be found.
TextOrReference = Annotated[
    Annotated[Value, Tag(AS_TEXT)] | Annotated[Reference, Tag(BY_REFERENCE)], Discriminator(_form)
]
