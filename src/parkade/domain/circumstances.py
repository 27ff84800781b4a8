"""What a decision rests on beside leases and endpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from parkade.domain.budget import Overspent
    from parkade.domain.idle import Use
    from parkade.domain.ladder import Watch
    from parkade.domain.terms import Booking, Terms
    from parkade.domain.watching import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a decision rests on beside leases and endpoints; what is missing changes nothing."""

    #: How endpoints are used, and which of them the maintainer watches, by name.
    uses: Mapping[str, Use] = field(default_factory=dict)
    watches: Mapping[str, Watch] = field(default_factory=dict)
    #: What is settled about endpoints, and booked, by name.
    terms: Mapping[str, Terms] = field(default_factory=dict)
    bookings: Mapping[str, Sequence[Booking]] = field(default_factory=dict)
    #: How long before it is wanted an endpoint is started, by the name of its endpoint config.
    leads: Mapping[str, timedelta] = field(default_factory=dict)
    #: Owners whose budget is used up.
    overspent: Mapping[str, Overspent] = field(default_factory=dict)
    #: What was asked of the maintainer that it cannot make use of, by the endpoint's name.
    unusable: Mapping[str, str] = field(default_factory=dict)
    #: What the maintainer will remember: to be stored before anything is done on it.
    changes: Sequence[Change] = ()
