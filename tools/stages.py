# SPDX-License-Identifier: Apache-2.0
"""The stages of a result as docs/architecture.md shows them, drawn from the policy's table.

``python3 -m tools.stages`` prints the picture and the table; ``--write`` puts them into the
document, between its two marks.
"""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

from heat_config.cloud.errors import Outcome
from heat_config.delivery import entry, policy
from heat_config.delivery.entry import Entry, Stage
from heat_config.delivery.policy import ROWS, Act, Row

DOCUMENT = Path(__file__).parents[1] / "docs" / "architecture.md"
BEGIN = "<!-- stages: made by python3 -m tools.stages -->"
END = "<!-- stages end -->"

STARTS = (Stage.NEW, Stage.FORCED, Stage.REPEATABLE, Stage.SIGNED)
ENDS = tuple(stage for stage, row in ROWS.items() if row.act in (Act.SETTLE, Act.GIVE_UP))
_HEAD = (
    "| stage | what is known | act | on disk meanwhile | what follows "
    "| fails | fails for long | newer config |"
)


def text() -> str:
    """The picture and the table, in Markdown."""
    return "\n".join([*_picture(), "", *_table()])


def within(document: str) -> str:
    """What a document has between its two marks.

    :raises ValueError: it has not both.
    """
    return document[document.index(BEGIN) + len(BEGIN) : document.index(END)].strip()


def meanings() -> dict[Stage, str]:
    """What each stage means: the text below its name, which Python itself does not keep."""
    (definition,) = (
        node
        for node in ast.parse(inspect.getsource(entry)).body
        if isinstance(node, ast.ClassDef) and node.name == Stage.__name__
    )
    found = {}
    for node, following in zip(definition.body, definition.body[1:], strict=False):
        match node, following:
            case ast.Assign([ast.Name(name)]), ast.Expr(ast.Constant(str(meaning))):
                found[Stage[name]] = " ".join(meaning.split())
    return found


def _picture() -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {stage.name}: {stage.value}" for stage in Stage]
    lines += [f"    [*] --> {stage.name}" for stage in STARTS]
    for stage, row in ROWS.items():
        lines += [f"    {stage.name} --> {to.name}: {why}" for to, why in _arrows(stage, row)]
    lines += [f"    {stage.name} --> [*]" for stage in ENDS]
    return [*lines, "```"]


def _arrows(stage: Stage, row: Row) -> list[tuple[Stage, str]]:
    """Where a stage leads, and why: one arrow to each other stage."""
    if stage in ENDS:
        return []
    reasons: dict[Stage, list[str]] = {}
    for outcome, to in row.then.items():
        reasons.setdefault(to, []).append(outcome.value)
    if row.intent:
        reasons.setdefault(row.intent, []).append(Outcome.UNKNOWN.value)
    for further, why in ((row.failing, "fails"), (row.gives_way, "fails for long")):
        if further:
            reasons.setdefault(further, []).append(why)
    reasons.setdefault(row.exhausted, []).append("fails for too long")
    if (newer := _superseded(stage)) is not stage:
        reasons.setdefault(newer, []).append("newer config")
    return [(to, " / ".join(why)) for to, why in reasons.items()]


def _superseded(stage: Stage) -> Stage:
    """Where a newer config of the same deployment leads."""
    return policy.superseded(Entry("", {}, {}, stage), "").stage


def _table() -> list[str]:
    known = meanings()
    return [
        _HEAD,
        "| --- " * _HEAD.count(" | ") + "| --- |",
        *(_line(stage, row, known[stage]) for stage, row in ROWS.items()),
    ]


def _line(stage: Stage, row: Row, meaning: str) -> str:
    cells = [f"*{stage.value}*", meaning, row.act.value]
    if stage in ENDS:
        return f"| {' | '.join([*cells, '', '', '', '', ''])} |"
    follows = "; ".join(f"{outcome.value}: *{to.value}*" for outcome, to in row.then.items())
    ends = f"*{row.exhausted.value}*"
    newer = _superseded(stage)
    cells += [
        f"*{row.intent.value}*" if row.intent else "the same",
        follows,
        f"*{row.failing.value}*" if row.failing else "the same",
        f"*{row.gives_way.value}*, in the end {ends}" if row.gives_way else ends,
        "the same" if newer is stage else f"*{newer.value}*",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the text, or with ``--write`` put it into the document."""
    if sys.argv[1:] != ["--write"]:
        print(text())
        return
    document = DOCUMENT.read_text()
    head, tail = document.split(BEGIN)[0], document.split(END)[1]
    DOCUMENT.write_text(f"{head}{BEGIN}\n{text()}\n{END}{tail}")


if __name__ == "__main__":
    main()
