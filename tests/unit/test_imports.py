# SPDX-License-Identifier: Apache-2.0
"""Who may import whom: the rule of CONTRIBUTING.md, read from the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import REPOSITORY

# Parts of heat_config from the ground up, and what each may import beside itself.
GROUND = {
    *("__init__", "applying", "data", "events", "files", "journal", "log", "mask", "origin"),
    *("process", "readable", "redact", "settings", "terminal", "waiting"),
}
ASKED = {"deployment", "result"}
MAY = {
    **dict.fromkeys(GROUND, GROUND),
    "quick": GROUND,
    "deployment": GROUND,
    "applied": GROUND | {"deployment"},
    "result": GROUND,
    "hookkit": GROUND | ASKED,
    "cloud": GROUND,
    "signals": GROUND | {"cloud", "result"},
    "delivery": GROUND | ASKED | {"cloud", "signals"},
    "run": GROUND | ASKED | {"applied", "delivery", "signals"},
    "install": GROUND,
    "collect": GROUND | {"applied", "cloud", "deployment"},
    "commands": GROUND
    | ASKED
    | {"cloud", "collect", "delivery", "install", "quick", "run", "signals"},
    "cli": GROUND | {"quick", "run", "delivery", "commands"},
}
# What stands beside heat_config, and what of this repository each may import.
BESIDE = {
    "heat_config": set[str](),
    "heat_operator": {"heat_config"},
    "hooks": {"heat_config"},
    "lab": set[str](),
    "demo": {"lab"},
    "packages": {"heat_config", "lab"},
    "tests": {
        "heat_config",
        "heat_operator",
        "hooks",
        "lab",
        "demo",
        "bench",
        "compare",
        "faults",
        "matrix",
        "packages",
        "tools",
    },
    "bench": {"heat_config", "lab", "tests"},
    "compare": {"heat_config", "lab", "bench", "tests"},
    "faults": {"heat_config", "lab", "tests"},
    "matrix": {"heat_plugin", "lab", "tests"},
    "tools": {"heat_config"},
}
# The functions of heat_config that import, with the reason; everything else imports at its top.
IN_FUNCTIONS = {
    ("cli", "main"): "behind the quick path, which is most runs",
    ("cli", "_parser"): "argparse takes longer than a run with nothing to do",
    ("commands/line", "_install"): "an installation is made once, and each run starts here",
    ("commands/line", "_join"): "a server joins once, and not every server collects",
    ("log", "conceal"): "on the quick path, where there is nothing to hide",
    ("signals/__init__", "_module"): "each transport with its libraries, when a result is sent",
    ("hookkit/values", "_yaml"): "a script starts 20 ms sooner without it",
    ("collect/loop", "_connect"): "a server without a websocket has no client for one",
}
MOST_IN_FUNCTIONS = 9


def modules(folder: str) -> list[Path]:
    return sorted((REPOSITORY / folder).rglob("*.py"))


def part_of(name: str) -> str:
    """The part of heat_config to which a module belongs, by its dotted name."""
    _, _, below = name.partition(".")
    return below.partition(".")[0] or "__init__"


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    """The dotted names of all that a module of this repository imports, wherever it does."""
    return set(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    package = path.relative_to(REPOSITORY).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            for each in node.names:
                yield f"{base}.{each.name}" if is_module(f"{base}.{each.name}") else base


def is_module(name: str) -> bool:
    path = REPOSITORY.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_each_part_of_the_agent_has_its_rule() -> None:
    parts = {part_of(dotted(path)) for path in modules("heat_config")}
    assert parts == set(MAY)


@pytest.mark.parametrize("part", sorted(MAY))
def test_a_part_imports_only_those_that_it_hands_on_to(part: str) -> None:
    found = {
        (dotted(path), name)
        for path in modules("heat_config")
        if part_of(dotted(path)) == part
        for name in imported(path)
        if name.partition(".")[0] == "heat_config" and part_of(name) not in MAY[part] | {part}
    }
    assert found == set()


@pytest.mark.parametrize("folder", BESIDE)
def test_a_folder_imports_only_those_that_it_stands_on(folder: str) -> None:
    wrong = set(BESIDE) - BESIDE[folder] - {folder}
    found = {
        (dotted(path), name)
        for path in modules(folder)
        for name in imported(path)
        if name.partition(".")[0] in wrong
    }
    assert found == set()


@pytest.mark.parametrize("folder", BESIDE)
def test_nothing_imports_a_test(folder: str) -> None:
    """What tests share is in tests/support, which is all that others may import of tests/."""
    found = {
        (dotted(path), name)
        for path in modules(folder)
        for name in imported(path)
        if name.partition(".")[0] == "tests" and not name.startswith("tests.support")
    }
    assert found == set()


def test_what_is_imported_in_a_function_has_a_reason() -> None:
    found = [
        (str(path.relative_to(REPOSITORY / "heat_config").with_suffix("")), function.name)
        for path in modules("heat_config")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    assert set(found) - set(IN_FUNCTIONS) == set()
    assert len(found) <= MOST_IN_FUNCTIONS


def test_the_hooks_import_only_the_kit_and_what_a_result_is() -> None:
    allowed = {"hookkit", "result", "deployment", *GROUND}
    found = {
        (dotted(path), name)
        for path in modules("hooks")
        for name in imported(path)
        if name.partition(".")[0] == "heat_config" and part_of(name) not in allowed
    }
    assert found == set()
