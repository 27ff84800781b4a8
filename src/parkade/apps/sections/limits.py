"""`limits`: what nobody may pass."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from parkade.apps.sections.base import Section


class Limits(Section):
    """What nobody may pass."""

    max_minutes_ahead: Annotated[float, Field(gt=0)] = Field(
        default=7 * 24 * 60,
        description="minutes. How far ahead of now a lease may be paid; a week, so that a "
        "forgotten endpoint costs a week at most.",
    )
    workers: Annotated[int, Field(ge=1)] = Field(
        default=64,
        description="processes. Instances of all endpoints together; one more is refused with "
        "ResourceLimitExceeded instead of exhausting the machine.",
    )
    body_bytes: Annotated[int, Field(ge=1)] = Field(
        default=6_291_456,
        description="bytes. Body of an invocation and of its answer; SageMaker's own limit.",
    )
    object_bytes: Annotated[int, Field(ge=1)] = Field(
        default=10 * 1024**3,
        description="bytes. One object put into the objects folder, model archives included.",
    )
    unpacked_bytes: Annotated[int, Field(ge=1)] = Field(
        default=50 * 1024**3,
        description="bytes. One model archive unpacked; stops archives that explode.",
    )
    rate: Annotated[float, Field(gt=0)] = Field(
        default=10_000,
        description="requests a second of one token that are admitted for long; API Gateway's "
        "default.",
    )
    burst: Annotated[int, Field(ge=1)] = Field(
        default=5_000,
        description="requests of one token that are admitted at once; API Gateway's default.",
    )
    waiting: Annotated[int, Field(ge=0)] = Field(
        default=1_000,
        description="requests. How many may wait for a free worker of one endpoint; one more is "
        "answered 503, so that a slow model cannot fill the gateway's memory.",
    )
    hold_max: Annotated[int, Field(ge=0)] = Field(
        default=1_000,
        description="requests. How many callers, of all endpoints, may be held until an endpoint "
        "has started; one more is answered 503.",
    )
    hold_bytes: Annotated[int, Field(ge=0)] = Field(
        default=256 * 1024**2,
        description="bytes. Bodies of the requests that are held, together; the next one is "
        "answered 503.",
    )
    hold_seconds: Annotated[float, Field(ge=0)] = Field(
        default=900,
        description="seconds. How long a caller is held at most, whatever it asks for.",
    )
    model_seconds: Annotated[float, Field(gt=0)] = Field(
        default=60,
        description="seconds. Time a model has to answer; SageMaker's own limit.",
    )
    startup_seconds: Annotated[float, Field(gt=0)] = Field(
        default=240,
        description="seconds. Time a worker has from its start to its first good /ping; "
        "SageMaker's own limit.",
    )
    grace_seconds: Annotated[float, Field(gt=0)] = Field(
        default=30,
        description="seconds. Time between SIGTERM and SIGKILL of a worker; SageMaker's own.",
    )
    log_bytes: Annotated[int, Field(ge=4096)] = Field(
        default=20 * 1024**2,
        description="bytes. One worker's log file; above it the file moves to its one older copy.",
    )
    execution_hours: Annotated[float, Field(gt=0)] = Field(
        default=24,
        description="hours. How long a finished execution can be described, and a finished "
        "asynchronous request is kept; then it is deleted. Its answer stays.",
    )
    testers: Annotated[int, Field(ge=1)] = Field(
        default=2,
        description="processes. Runs of testers that the server carries out at a time; the others "
        "wait for their turn.",
    )
