# SPDX-License-Identifier: Apache-2.0
"""A timeline as a page: its picture and its numbers, for a light screen or a dark one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from heat_operator import picture
from heat_operator.scale import duration
from heat_operator.spans import Phase

if TYPE_CHECKING:
    from heat_operator.spans import Row, Timeline


def html(timeline: Timeline) -> str:
    """The picture in a page, with the numbers of each row in a table."""
    cells = "".join(f"<th>{each}</th>" for each in ("server", "deployment", "status"))
    cells += "".join(f'<th class="number">{escape(each.value)}</th>' for each in Phase)
    rows = "\n".join(_table_row(row) for row in timeline.rows)
    parts = {
        "title": escape(timeline.title),
        "picture": picture.svg(timeline),
        "head": cells,
        "rows": rows,
    }
    return _PAGE.format(style=_STYLE + _dark(), **parts)


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<div>
{picture}</div>
<div>
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
</body>
</html>
"""

# On a narrow screen each part is moved by itself, and keeps a size that can be read.
_STYLE = f"""\
body {{ font: 13px "DejaVu Sans", Helvetica, Arial, sans-serif; color: {picture.INK};
  background: #ffffff; margin: 1em auto 3em; max-width: {picture.WIDTH}px; }}
div {{ overflow-x: auto; }}
svg {{ display: block; width: 100%; min-width: 820px; height: auto; }}
table {{ border-collapse: collapse; margin: 1em {picture.MARGIN}px; min-width: 760px; }}
th, td {{ border-bottom: 1px solid {picture.LINE}; padding: 5px 12px 5px 0; text-align: left;
  vertical-align: top; }}
th {{ vertical-align: bottom; font-weight: 600; }}
.number {{ text-align: right; }}
td.number {{ white-space: nowrap; font-variant-numeric: tabular-nums; }}
.failed {{ color: {picture.FAILED}; }}
"""

# What stands for a colour where the reader has asked for a dark page.
_BY_NIGHT = {
    "#ffffff": "#161c23",
    picture.INK: "#dde5ed",
    picture.FAINT: "#9aabba",
    picture.LINE: "#33404c",
    picture.CRITICAL: "#f0924c",
    picture.FAILED: "#ff8a80",
    picture.COLOURS[Phase.WAITS]: "#3a4754",
    picture.COLOURS[Phase.SERVER]: "#3d95cf",
}


def _dark() -> str:
    """The style of such a page."""
    rules = [
        f"body {{ color: {_BY_NIGHT[picture.INK]}; background: {_BY_NIGHT['#ffffff']}; }}",
        f"th, td {{ border-color: {_BY_NIGHT[picture.LINE]}; }}",
        f".failed {{ color: {_BY_NIGHT[picture.FAILED]}; }}",
    ]
    for day, night in _BY_NIGHT.items():
        rules += [f'svg [{of}="{day}"] {{ {of}: {night}; }}' for of in ("fill", "stroke")]
    return "\n".join(["@media (prefers-color-scheme: dark) {", *rules, "}", ""])


def _table_row(row: Row) -> str:
    words = "".join(f"<td>{escape(each)}</td>" for each in (row.server, row.name, row.status))
    seconds = {span.phase: duration(span.seconds) for span in row.spans}
    numbers = "".join(f'<td class="number">{seconds.get(each, "")}</td>' for each in Phase)
    kind = ' class="failed"' if row.status in picture.BAD else ""
    return f"<tr{kind}>{words}{numbers}</tr>"
