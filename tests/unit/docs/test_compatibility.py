# SPDX-License-Identifier: Apache-2.0
"""docs/compatibility.md says what is: each row is looked up in this tree."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from importlib import metadata, util
from pathlib import Path

import pytest

from heat_config.collect.upstream import COLLECTORS, collect, keystone
from heat_config.install import parts
from heat_config.install.items import Known, Program
from hooks import puppet
from tests.support import peers
from tests.support.checkout import ELEMENTS, REPOSITORY
from tests.support.compatibility import PAGE, Row, rows, without_row

THEIR_PROGRAMS = ("os-apply-config", "os-collect-config", "os-refresh-config")
PINNED = (ELEMENTS / "heat-config-venv/heat-config-venv/requirements.txt").read_text().split()
WORKPLACE = re.compile(r'workplace\("([\w-]+)"')


def package(program: str) -> Path:
    """The installed modules of one of theirs."""
    spec = util.find_spec(program.replace("-", "_"))
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@cache
def texts() -> frozenset[str]:
    """Every text in the code of the agent and the hooks, and the names that a workplace has."""
    found: set[str] = set()
    for path in [*REPOSITORY.glob("heat_config/**/*.py"), *REPOSITORY.glob("hooks/*.py")]:
        source = path.read_text()
        nodes = ast.walk(ast.parse(source))
        found |= {str(each.value) for each in nodes if isinstance(each, ast.Constant)}
        for group in WORKPLACE.findall(source):
            for kind, folder in (("WORKING", "/var/lib"), ("OUTPUTS", "/var/run")):
                found.add(f"HEAT_{group.upper()}_{kind}")
                found.add(f"{folder}/heat-config/heat-config-{group}")
    return frozenset(found)


@cache
def of_elements() -> str:
    """All that the elements have, but for what is there to be read."""
    files = (path for path in ELEMENTS.rglob("*") if path.is_file() and path.suffix != ".rst")
    return "\n".join(path.read_text(errors="replace") for path in files)


@cache
def of_pinned() -> peers.Found:
    """The names in what the image's environment has of theirs, and ours starts."""
    found: peers.Found = {}
    for program in THEIR_PROGRAMS:
        for kind, names in peers.of_package(package(program)).items():
            found[kind] = found.get(kind, set()) | names
    return found


def is_pinned(row: Row) -> bool:
    return row.name in of_pinned().get(row.kind, ())


def is_element(row: Row) -> bool:
    return (ELEMENTS / row.name / "README.rst").is_file()


def is_of_the_build(row: Row) -> bool:
    return re.search(rf"\$\{{?{row.name}\b", of_elements()) is not None


def is_variable(row: Row) -> bool:
    if is_pinned(row):
        return True
    return row.name in texts() and (not row.default or row.default in texts())


def is_program(row: Row) -> bool:
    program, _, option = row.name.partition(" ")
    if option and program == "os-collect-config":
        return option in set(options_of_the_collector())
    if option:
        return is_pinned(row)
    items = [item for part in parts.PARTS.values() for item in part]
    return program in {item.name for item in items if isinstance(item, Known | Program)}


def options_of_the_collector() -> Iterator[str]:
    """What ``heat-config-collect`` takes."""
    yield from (each.name if each.positional else f"--{each.name}" for each in collect.opts)
    for name, module in {**COLLECTORS, "keystone": keystone}.items():
        yield from (f"[{name}] {option.dest}" for option in module.opts)


def is_group(row: Row) -> bool:
    return row.name in texts() or (hook_of(row.name)).is_file()


def hook_of(group: str) -> Path:
    return REPOSITORY / "hooks" / f"{group.replace('-', '_')}.py"


def is_option(row: Row) -> bool:
    group, _, option = row.name.partition(" ")
    containers = (REPOSITORY / "heat_config/hookkit/containers").glob("*.py")
    with_them = containers if "containers" in hook_of(group).read_text() else ()
    sources = (path.read_text() for path in (hook_of(group), *with_them))
    # Compose reads its own file.
    named = option if option != "env_file" or group != "docker-compose" else "env_files"
    kind = named.removeprefix("enable_")
    return any(f'"{named}"' in text or ('f"enable_' in text and kind in text) for text in sources)


def is_text(row: Row) -> bool:
    return row.name in texts()


def is_unit(row: Row) -> bool:
    return any(ELEMENTS.glob(f"*/init-scripts/systemd/{row.name}"))


def is_script(row: Row) -> bool:
    return any(ELEMENTS.glob(f"*/{row.name}"))


def is_path(row: Row) -> bool:
    path = Path(row.name)
    if path.parent == Path("/usr/local/bin"):
        return is_program(row._replace(name=path.name))
    known = {parts.TEMPLATES, parts.SCRIPTS, *texts(), *logs_of_puppet()}
    is_above = any(text.startswith(f"{row.name}/") for text in known)
    in_elements = re.search(rf"{re.escape(row.name)}(?![\w/.-])", of_elements())
    return row.name in known or is_above or bool(in_elements) or is_pinned(row)


def logs_of_puppet() -> Iterator[str]:
    for kind in ("debug", "verbose"):
        yield f"{puppet.LOGS}/heat-{kind}.log"


def is_package(row: Row) -> bool:
    return re.search(rf"^{re.escape(row.name)}:", of_elements(), re.MULTILINE) is not None


def is_file_of_theirs(row: Row) -> bool:
    return (ELEMENTS / row.name).exists()


def ends_as_theirs(row: Row) -> bool:
    return f"{row.name}==14.1.0" in PINNED


LOOKED_UP: dict[str, Callable[[Row], bool]] = {
    "Elements": is_element,
    "Variables of a build": is_of_the_build,
    "Variables of a server": is_variable,
    "Programs": is_program,
    "Groups": is_group,
    "Options": is_option,
    "Inputs": is_text,
    "Outputs": is_text,
    "Units": is_unit,
    "Scripts and templates": is_script,
    "Paths": is_path,
    "Files of the elements": is_file_of_theirs,
    "Packages of an image": is_package,
    "Exit statuses": ends_as_theirs,
}


def test_each_name_has_one_row_and_one_of_three_words() -> None:
    counted = Counter((row.kind, row.name) for row in rows())
    assert [each for each, times in counted.items() if times > 1] == []
    assert {row.here for row in rows()} == {"same", "different", "missing"}
    assert {row.kind for row in rows()} == set(LOOKED_UP)


@pytest.mark.parametrize("here", ["different", "missing"])
def test_what_is_not_the_same_says_why(here: str) -> None:
    bare = [row.name for row in rows() if row.here == here and len(row.why.split()) < 3]
    assert bare == []


@pytest.mark.parametrize("kind", LOOKED_UP)
def test_what_is_said_to_be_the_same_is_in_this_tree(kind: str) -> None:
    said = [row for row in rows() if row.kind == kind and row.here == "same"]
    assert [row.name for row in said if not LOOKED_UP[kind](row)] == []


# What the agent says of these is why they are not used.
NAMED_IN_A_MESSAGE = {"HEAT_HIERA_ELEMENT_CHECK_CMD", "HEAT_PUPPET_LOGDIR", "DOCKER_HOST"}


@pytest.mark.parametrize("kind", sorted(set(LOOKED_UP) - {"Paths"}))
def test_what_is_said_to_be_missing_is_not_in_this_tree(kind: str) -> None:
    said = [row for row in rows() if row.kind == kind and row.here == "missing"]
    found = {row.name for row in said if LOOKED_UP[kind](row)}
    assert found <= NAMED_IN_A_MESSAGE


@pytest.mark.parametrize("program", THEIR_PROGRAMS)
def test_their_version_is_the_pages_the_images_and_the_tests(program: str) -> None:
    version = metadata.version(program)
    assert f"{program} {version}" in PAGE
    assert f"{program}=={version}" in PINNED


@pytest.mark.parametrize("program", THEIR_PROGRAMS)
def test_each_name_of_theirs_has_a_row(program: str) -> None:
    found = peers.of_package(package(program))
    scripts = metadata.entry_points(group="console_scripts")
    of = package(program).name
    found["Programs"] |= {each.name for each in scripts if each.value.startswith(f"{of}.")}
    assert found["Programs"]
    assert without_row(found) == []
