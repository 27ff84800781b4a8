"""The DataCaptureConfig of a payload, as SageMaker has it: read, and written again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.catalog import Capture
from parkade.domain.errors import InvalidInput

if TYPE_CHECKING:
    from parkade.domain.deploy.reading import Section
    from parkade.domain.event import Json

KEY = "DataCaptureConfig"
_KEYS = frozenset({
    "EnableCapture", "InitialSamplingPercentage", "DestinationS3Uri", "KmsKeyId", "CaptureOptions",
    "CaptureContentTypeHeader",
})  # fmt: skip
_TYPES = frozenset({"CsvContentTypes", "JsonContentTypes"})
_INPUT, _OUTPUT = "Input", "Output"


def read(top: Section) -> Capture:
    """Return what is to be captured. Raises InvalidInput."""
    given = top.section(KEY, _KEYS)
    modes = _modes(given)
    csv_types: tuple[str, ...] = ()
    json_types: tuple[str, ...] = ()
    if given.has("CaptureContentTypeHeader"):
        types = given.section("CaptureContentTypeHeader", _TYPES)
        csv_types, json_types = types.texts("CsvContentTypes"), types.texts("JsonContentTypes")
    return Capture(
        destination=given.text("DestinationS3Uri"),
        percentage=given.whole("InitialSamplingPercentage"),
        enabled=given.flag("EnableCapture", default=True),
        inputs=_INPUT in modes,
        outputs=_OUTPUT in modes,
        csv_types=csv_types,
        json_types=json_types,
        extras={"KmsKeyId": given.text("KmsKeyId")} if given.has("KmsKeyId") else {},
    )


def _modes(given: Section) -> set[str]:
    """Return what is written of each request; where nothing is said, both."""
    if not given.has("CaptureOptions"):
        return {_INPUT, _OUTPUT}
    modes = set()
    for option in given.sections("CaptureOptions", {"CaptureMode"}):
        mode = option.text("CaptureMode")
        if mode not in {_INPUT, _OUTPUT}:
            raise InvalidInput(
                f"{option.at('CaptureMode')} {mode[:80]!r} is neither Input nor Output",
                field=option.at("CaptureMode"),
                hint="give an option each for Input and for Output",
            )
        modes.add(mode)
    return modes


def written(capture: Capture) -> dict[str, Json]:
    """Write it as a payload has it."""
    modes = ((_INPUT, capture.inputs), (_OUTPUT, capture.outputs))
    types: dict[str, Json] = {}
    if capture.csv_types:
        types["CsvContentTypes"] = list(capture.csv_types)
    if capture.json_types:
        types["JsonContentTypes"] = list(capture.json_types)
    told: dict[str, Json] = {
        **capture.extras,
        "EnableCapture": capture.enabled,
        "InitialSamplingPercentage": capture.percentage,
        "DestinationS3Uri": capture.destination,
        "CaptureOptions": [{"CaptureMode": mode} for mode, wanted in modes if wanted],
    }
    return {**told, "CaptureContentTypeHeader": types} if types else told
