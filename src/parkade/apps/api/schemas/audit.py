"""The forms of audits."""

from datetime import datetime

from pydantic import Field

from parkade.apps.api.schemas.form import Form, View
from parkade.domain.audit.finding import Finding, Kind, Mending
from parkade.services.audit import Mended


class FindingView(View):
    """Something that is left over, missing, or paid for by nobody."""

    id: str = Field(
        description="The same finding has the same id the next time.",
        examples=["endpoint.unmetered:falcon"],
    )
    kind: Kind
    name: str = Field(description="What it is about.")
    text: str
    hint: str = Field(description="What to do about it.")
    since: datetime | None = Field(description="Since when; null: that is not known.")
    hourly_usd: float | None = Field(description="What it costs an hour; null: nothing known.")
    unpriced: list[str] = Field(description="What that lacks, for want of a price.")
    mending: Mending = Field(description="Whether it is put right on request.")
    mends: str = Field(description="What is done then.")

    @classmethod
    def of(cls, finding: Finding) -> "FindingView":
        """Write a finding."""
        hourly = finding.hourly
        return cls(
            id=finding.id,
            kind=finding.kind,
            name=finding.name,
            text=finding.text,
            hint=finding.hint,
            since=finding.since,
            hourly_usd=float(hourly.usd)
            if hourly and (hourly.usd or not hourly.unpriced)
            else None,
            unpriced=sorted(hourly.unpriced) if hourly else [],
            mending=finding.mending,
            mends=finding.mends,
        )


class AuditView(View):
    """All findings, the worst kinds first."""

    findings: list[FindingView]


class FixForm(Form):
    """Which findings to put right."""

    ids: list[str] = Field(min_length=1, max_length=10_000, description="Of findings.")


class MendedView(View):
    """What became of a finding that was to be put right."""

    id: str
    done: bool
    text: str = Field(description="What was done, or why nothing was.")

    @classmethod
    def of(cls, mended: Mended) -> "MendedView":
        """Write it."""
        return cls(id=mended.id, done=mended.done, text=mended.text)


class FixView(View):
    """What became of each, in the order of the ids."""

    mended: list[MendedView]
