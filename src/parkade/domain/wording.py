"""Events in words for people: the subject of a mail, the line of a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.subscriber import ABOUT_ALARMS, ABOUT_SUBSCRIBERS

if TYPE_CHECKING:
    from parkade.domain.event import Event

#: Characters; what is longer is cut in lists of mails anyway.
_SHORT = 110


def headline(event: Event) -> str:
    """Say on one short line what happened, and to what."""
    if event.kind.startswith("notice."):
        text = event.reason
    elif event.kind.startswith((*ABOUT_SUBSCRIBERS, ABOUT_ALARMS)):
        return _short(event.reason)
    else:
        text = event.kind.replace(".", " ").replace("_", " ")
    return _short(f"{event.endpoint_name}: {text}" if event.endpoint_name else text)


def link_text(event: Event) -> str:
    """Say what following the link of a notice is good for."""
    return f"Give {event.endpoint_name} more time" if event.endpoint_name else "See what to do"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHORT else line[: _SHORT - 3].rstrip() + "..."
