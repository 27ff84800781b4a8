"""Elements of SVG, and the frame of a picture: its colours in light and dark, its axes, its key.

A picture is as wide as its place, says what it shows to who cannot see it, and takes the
colours of the reader's scheme by itself, wherever it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from parkade.apps.pictures import axes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from parkade.apps.pictures.axes import Axis

WIDTH, HEIGHT = 860, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 64, 52
_STYLE = """
.picture{--ground:#fff;--ink:#1c2733;--soft:#5b6876;--grid:#e4e8ec;--one:#0b6bcb;--two:#b8560f;--bad:#c8102e;--good:#1a7f4b}
@media (prefers-color-scheme:dark){.picture{--ground:#12171d;--ink:#e8edf2;--soft:#9aa7b4;--grid:#2a333d;--one:#5eb0ff;--two:#ffab5c;--bad:#ff6b7d;--good:#57d08f}}
.picture .ground{fill:var(--ground)}.picture text{font:13px system-ui,sans-serif;fill:var(--soft)}
.picture .title{font-size:15px;font-weight:600;fill:var(--ink)}.picture .grid{stroke:var(--grid)}
.picture .axis{stroke:var(--soft)}.picture .line{fill:none;stroke-width:2;stroke-linejoin:round}
.picture .one{stroke:var(--one)}.picture .two{stroke:var(--two)}.picture .dot.one{fill:var(--one)}
.picture .dot.two{fill:var(--two)}.picture .bad{stroke:var(--bad);fill:var(--bad)}
.picture .target{stroke:var(--good);stroke-dasharray:6 4;fill:none}.picture .held{fill:var(--good)}.picture .unsure{fill:var(--ground);stroke:var(--soft);stroke-width:2}
""".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What goes around: title, axes with their units, and the key of what is drawn."""

    title: str
    #: For who cannot see it.
    description: str
    across: Axis
    up: Axis
    across_label: str
    up_label: str
    tell_across: Callable[[float], str] = axes.number
    #: The class and the name of each thing that is drawn.
    key: Sequence[tuple[str, str]] = ()


def places() -> tuple[tuple[float, float], tuple[float, float]]:
    """Return where the axes across and up begin and end."""
    return (LEFT, WIDTH - RIGHT), (HEIGHT - BOTTOM, TOP)


def picture(frame: Frame, content: Iterable[str]) -> str:
    """Return the SVG of a frame with its content."""
    title, told = escape(frame.title), escape(frame.description)
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}: {told}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" {box}>',
        f"<title>{title}</title><desc>{told}</desc><style>{_STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
        text(LEFT, 26, frame.title, "title"),
        *_key(frame.key),
        *_across(frame),
        *_up(frame),
        *content,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def text(x: float, y: float, told: str, kind: str = "", *, anchor: str = "start") -> str:
    """Return a text."""
    of = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{of}>{escape(told)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a line."""
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="{kind}"/>'


def dot(x: float, y: float, kind: str, told: str = "", *, radius: float = 3.5) -> str:
    """Return a point; what is `told` of it is shown where a pointer rests on it."""
    title = f"<title>{escape(told)}</title>" if told else ""
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" class="dot {kind}">{title}</circle>'


def cross(x: float, y: float, told: str = "", *, size: float = 4) -> str:
    """Return the mark of a failure."""
    title = f"<title>{escape(told)}</title>" if told else ""
    return (
        f'<g class="bad" stroke-width="2">{title}'
        f'<path d="M{x - size:g} {y - size:g}l{2 * size:g} {2 * size:g}'
        f'm0 {-2 * size:g}l{-2 * size:g} {2 * size:g}"/></g>'
    )


def path(points: Sequence[tuple[float, float] | None], kind: str) -> str:
    """Return a line through points; it is broken where there is none, and alone one is a dot."""
    told, drawn = [], False
    for place, point in enumerate(points):
        if point is None:
            drawn = False
            continue
        x, y = point
        following = points[place + 1] if place + 1 < len(points) else None
        if not drawn and following is None:
            told.append(f"M{x - 1:g} {y:g}h2")
        else:
            told.append(f"{'L' if drawn else 'M'}{x:g} {y:g}")
        drawn = True
    return f'<path class="line {kind}" d="{"".join(told)}"/>' if told else ""


def _key(entries: Sequence[tuple[str, str]]) -> Iterable[str]:
    x = float(LEFT)
    for kind, name in entries:
        if kind == "bad":
            yield cross(x + 8, 44)
        elif kind in {"held", "unsure"}:
            yield dot(x + 8, 44, kind)
        else:
            yield line(x, 44, x + 16, 44, f"line {kind}")
        yield text(x + 22, 48, name)
        x += 44 + 7.2 * len(name)


def _across(frame: Frame) -> Iterable[str]:
    axis, floor = frame.across, HEIGHT - BOTTOM
    for tick in axis.ticks:
        x = axis.at(tick)
        yield line(x, floor, x, floor + 5, "axis")
        yield text(x, floor + 20, frame.tell_across(tick), anchor="middle")
    yield line(LEFT, floor, WIDTH - RIGHT, floor, "axis")
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, frame.across_label, anchor="middle")


def _up(frame: Frame) -> Iterable[str]:
    axis = frame.up
    for tick in axis.ticks:
        y = axis.at(tick)
        yield line(LEFT, y, WIDTH - RIGHT, y, "grid")
        yield text(LEFT - 8, y + 4, axes.number(tick), anchor="end")
    middle = (TOP + HEIGHT - BOTTOM) / 2
    yield (
        f'<text x="16" y="{middle:g}" text-anchor="middle" '
        f'transform="rotate(-90 16 {middle:g})">{escape(frame.up_label)}</text>'
    )
