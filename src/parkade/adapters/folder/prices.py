"""Price lists in files: the one that comes with Parkade, and one for all regions fetched since.

Both have one form:

    {"regions": {"us-east-1": {"dated": "2026-11-21", "origin": "...",
                               "quoted": {"ml.m5.large": "0.115"}, "unconfirmed": {}}}}
"""

from __future__ import annotations

import threading
from datetime import date  # noqa: TC003  pydantic reads the annotations
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from parkade.domain.errors import Unavailable, Unreadable
from parkade.domain.price import PriceList

if TYPE_CHECKING:
    from pathlib import Path

_Hourly = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class _Region(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    dated: date
    origin: str
    quoted: dict[str, _Hourly]
    unconfirmed: dict[str, _Hourly] = {}


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    regions: dict[str, _Region]


class FolderPriceLists:
    """The price lists port; `path` is the file of those that were fetched."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def packaged(self, region: str) -> PriceList | None:
        """Return the list that comes with Parkade."""
        return packaged(region)

    def fetched(self, region: str) -> PriceList | None:
        """Return the newest list that was put."""
        return _list(self._read(), region)

    def put(self, prices: PriceList) -> None:
        """Store the list beside those of other regions; a file that is torn is begun anew."""
        with self._lock:
            try:
                regions = self._read().regions
            except Unreadable:
                regions = {}
            region = _Region(
                dated=prices.dated,
                origin=prices.origin,
                quoted=prices.quoted,
                unconfirmed=prices.unconfirmed,
            )
            file = _File(regions={**regions, prices.region: region})
            coming = self._path.with_suffix(".coming")
            try:
                coming.write_text(file.model_dump_json(indent=2) + "\n", encoding="utf-8")
                coming.replace(self._path)
            except OSError as error:
                raise Unavailable(
                    f"the price list {self._path} cannot be written: {error.strerror}",
                    hint="look at the disk and the rights of the state folder; the prices stay as "
                    "they are",
                ) from error

    def _read(self) -> _File:
        try:
            return _File.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return _File(regions={})
        except OSError as error:
            raise Unreadable(
                f"the price list {self._path} cannot be read: {error.strerror}",
                hint="look at the disk and the rights of the state folder",
            ) from error
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise Unreadable(
                f"the price list {self._path} cannot be read: {where}: {first['msg']}",
                hint="it is passed over; fetch a new one: parkade prices update",
            ) from error


def packaged(region: str) -> PriceList | None:
    """Return the list of the region that comes with Parkade; None: there is none."""
    content = resources.files("parkade.adapters.folder").joinpath("prices.json").read_bytes()
    return _list(_File.model_validate_json(content), region)


def _list(file: _File, region: str) -> PriceList | None:
    found = file.regions.get(region)
    if found is None:
        return None
    return PriceList(
        region=region,
        dated=found.dated,
        origin=found.origin,
        quoted=found.quoted,
        unconfirmed=found.unconfirmed,
    )
