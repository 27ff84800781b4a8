"""A report as a page that needs nothing beside it: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_STYLE = """
:root{color-scheme:light dark;--ground:#f6f8fa;--card:#fff;--ink:#1c2733;--soft:#5b6876;--rule:#e4e8ec;--good:#1a7f4b;--bad:#c8102e}
@media (prefers-color-scheme:dark){:root{--ground:#0b0f14;--card:#12171d;--ink:#e8edf2;--soft:#9aa7b4;--rule:#2a333d;--good:#57d08f;--bad:#ff6b7d}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:960px;margin:0 auto;padding:24px 16px 48px}h1{font-size:22px;margin:0 0 4px}h2{font-size:16px;margin:32px 0 8px}
p{margin:4px 0;color:var(--soft)}.verdict{font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}
svg{width:100%;min-width:600px;height:auto;display:block}.frame{overflow-x:auto;margin-top:20px;border-radius:8px}.verdict::first-letter{text-transform:uppercase}.wide{overflow-x:auto;background:var(--card);border-radius:8px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{padding:8px 12px;text-align:right;white-space:nowrap;border-top:1px solid var(--rule)}
th{color:var(--soft);font-weight:600;border-top:0}th:first-child,td:first-child,.text td,.text th{text-align:left}
.noted td:last-child{text-align:left;white-space:normal;min-width:15em}
.text td{white-space:normal;overflow-wrap:anywhere;vertical-align:top;min-width:9em}.text td:first-child{min-width:5em}
@media print{body{background:#fff}}
""".strip()


def page(
    title: str, verdict: str, *, good: bool, facts: Sequence[str], parts: Iterable[str]
) -> str:
    """Return the page: what it is about, what came of it, and its parts, which are HTML."""
    about = "".join(f"<p>{escape(each)}</p>" for each in facts)
    kind = "good" if good else "bad"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body><main>"
        f'<h1>{escape(title)}</h1><p class="verdict {kind}">{escape(verdict)}</p>{about}\n'
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def frame(picture: str) -> str:
    """Return a picture in its place, in which it can be moved where that is narrow."""
    return f'<div class="frame">{picture}</div>'


def table(
    heading: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = ""
) -> str:
    """Return a table below its heading.

    Its kind: empty where numbers are compared, `noted` where the last column says something, `text`
    where all of them do.
    """
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    of = f' class="{kind}"' if kind else ""
    return (
        f'<h2>{escape(heading)}</h2><div class="wide"><table{of}>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
