"""Parameters by which stacks tell each other, and the command line, what was deployed.

`/parkade/PREFIX/...` in the Systems Manager's parameter store: stacks can be deployed, and left out,
one by one.
"""

from __future__ import annotations

from enum import StrEnum

#: What the names of all shared parameters begin with.
ROOT = "/parkade"


class Shared(StrEnum):
    """What stacks tell each other; the value is the end of the parameter's name."""

    #: Name and ARN of the table of leases and of all else but tokens.
    TABLE = "meter/table-name"
    TABLE_ARN = "meter/table-arn"
    #: ARN of the topic of notices.
    TOPIC = "meter/topic-arn"
    #: Name and ARN of the bus of events.
    BUS = "meter/bus-name"
    BUS_ARN = "meter/bus-arn"
    #: ARN of the machine that waits for a lease's expiry.
    TIMER = "meter/timer-arn"
    #: The settings that the functions have, as JSON: a command line decides by the same.
    SETTINGS = "meter/settings"
    #: ARN of the secret whose value tokens and links are hashed with.
    SERVER_KEY = "meter/server-key-arn"
    #: ARN and name of the sweep.
    SWEEP = "meter/sweep-arn"
    SWEEP_NAME = "meter/sweep-name"
    #: ARN of the function that buys the first minutes of the project's endpoints.
    LEASES = "meter/leases-arn"
    #: Name of the table of tokens, address and id of the API.
    TOKENS = "api/tokens-table-name"
    API_URL = "api/url"
    API_ID = "api/id"
    API_NAME = "api/name"
    #: ARNs of the machines.
    DEPLOYER = "deployer/machine-arn"
    MAINTAINER = "maintainer/machine-arn"


def parameter_name(prefix: str, end: str) -> str:
    """Return the name of a shared parameter: `/parkade/TextClassificationDemo/meter/table-name`."""
    return f"{ROOT}/{prefix}/{end}"
