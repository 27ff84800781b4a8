"""`mail`, `subscribers`, `links`: who hears of what, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from parkade.apps.sections.base import Section

_URL = r"^https?://.+"


class Mail(Section):
    """The server that e-mail goes through."""

    host: Annotated[str, Field(min_length=1)] = Field(description="name of the SMTP server.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=587, description="its port.")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="how the connection is protected."
    )
    user: str | None = Field(default=None, description="name to log in with; null: no login.")
    password_file: str | None = Field(
        default=None, description="file that holds the password, so that this one need not."
    )
    sender: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] = Field(
        description="address that mail is from."
    )


class Links(Section):
    """The links by which a notice's reader extends without login."""

    base_url: Annotated[str, Field(pattern=_URL)] | None = Field(
        default=None,
        description="URL by which people reach this server, for links in notices; null: the "
        "address it listens on.",
    )
    minutes: Annotated[float, Field(gt=0)] = Field(
        default=30, description="minutes that a link adds, once; 0 is not possible."
    )
    enabled: bool = Field(default=True, description="whether notices have such links at all.")
