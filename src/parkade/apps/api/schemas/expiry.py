"""The seed's form of a lease."""

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from parkade.apps.api import times
from parkade.apps.api.schemas.form import Form, Minutes, View

if TYPE_CHECKING:
    from parkade.domain.lease import Lease


class ExpiryView(View):
    """Until when an endpoint is paid for."""

    EndpointName: str = Field(examples=["demo-Falcon40B-Endpoint"])
    EndpointExpiry: str = Field(
        description="`dd-mm-YYYY-HH-MM-SS` in UTC.", examples=["26-06-2023-12-39-47"]
    )
    # The seed's own answers spell the key with a trailing blank, and its clients read that one.
    EndpointExpiry_: str = Field(
        serialization_alias="EndpointExpiry ",
        description="The same once more: the key of the first version had a trailing blank.",
        examples=["26-06-2023-12-39-47"],
    )
    TimeLeft: str = Field(
        description="`H:MM:SS.ffffff`; `0:00:00` once it is over.", examples=["0:30:46.596924"]
    )

    @classmethod
    def of(cls, lease: "Lease", now: datetime) -> "ExpiryView":
        """Write a lease as of `now`."""
        expiry = times.expiry_text(lease.expiry(now))
        return cls(
            EndpointName=lease.endpoint_name,
            EndpointExpiry=expiry,
            EndpointExpiry_=expiry,
            TimeLeft=times.time_left_text(lease.time_left(now)),
        )


class ExpiryForm(Form):
    """Pays for an endpoint."""

    EndpointName: str = Field(examples=["demo-Falcon40B-Endpoint"])
    EndpointConfigName: str | None = Field(
        None,
        description="Creates the lease where the endpoint has none.",
        examples=["demo-Falcon40B-Config"],
    )
    minutes: Minutes | None = Field(None, examples=[10])
