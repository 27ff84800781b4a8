"""ARNs: how clients name things across kinds. Names stand in them as they were given."""

from __future__ import annotations

import re
from dataclasses import dataclass

from parkade.apps.wire.faults import invalid

#: There is one account, and nobody's.
ACCOUNT = "000000000000"

MODEL = "model"
CONFIG = "endpoint-config"
ENDPOINT = "endpoint"
COMPONENT = "inference-component"

#: What messages call each kind.
NOUNS = {
    MODEL: "model",
    CONFIG: "endpoint configuration",
    ENDPOINT: "endpoint",
    COMPONENT: "inference component",
}
_ARN = re.compile(r"arn:aws[a-z-]*:sagemaker:([a-z0-9-]*):([0-9]{12}):([a-z-]+)/(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arns:
    """Writes and reads the ARNs of one region."""

    region: str

    def of(self, kind: str, name: str) -> str:
        """Return the ARN of what has this kind and name."""
        return f"arn:aws:sagemaker:{self.region}:{ACCOUNT}:{kind}/{name}"

    def named(self, arn: str) -> tuple[str, str]:
        """Return kind and name. Raises ValidationException for what cannot be here."""
        match = _ARN.fullmatch(arn)
        if match is None or match[3] not in NOUNS:
            raise invalid(
                f"ResourceArn {arn} is not that of something kept here: it ends in "
                + ", ".join(f"{kind}/NAME" for kind in NOUNS)
            )
        if (match[1], match[2]) != (self.region, ACCOUNT):
            raise invalid(
                f"ResourceArn {arn} is of another region or account; here are those of "
                f"{self.region} and {ACCOUNT}"
            )
        return match[3], match[4]
