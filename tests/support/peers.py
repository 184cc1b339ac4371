# SPDX-License-Identifier: Apache-2.0
"""What heat-agents and its neighbours name: read from their sources, by kind.

``docs/compatibility.md`` has a row for each of these names; tests compare the two.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

Found = dict[str, set[str]]
"""Names by kind, the kinds as the page's headings have them."""

PATH = re.compile(r"(?<![\w$.}/~@])(?:/(?:var|etc|usr|opt|run|lib|bin)(?:/[\w.-]*\w)+)")
# The distribution's, which they call or look for.
OF_THE_SYSTEM = {"/bin/docker", "/bin/ip", "/bin/rm", "/lib/systemd", "/usr/bin/docker"} | {
    *("/etc/debian_version", "/etc/redhat-release", "/usr/sbin/iptables"),
}
UNIT = re.compile(r"[\w-]+\.service\b")
IN_SHELL = re.compile(r"\$\{?([A-Z][A-Z_]{3,})")
# dib's own, which every element has.
OF_DIB = {"DIB_RELEASE", "DISTRO_NAME", "DIB_INIT_SYSTEM", "TMP_MOUNT_PATH"}
# A script's own: what it gives itself above.
GIVEN_IN_SHELL = re.compile(r"^\s*([A-Z][A-Z_]{3,})=", re.MULTILINE)
INPUT = re.compile(r"\b(deploy_(?!stdout|stderr|status)\w+|heat_config_id)\b")
INSTALLED = re.compile(r"(?:install-packages|(?:pip|yum -y|apt-get) install)((?: +[\w.=-]+)+)")
OUTPUT = re.compile(r"\b(deploy_(?:stdout|stderr|status_code)|heat_outputs_path)\b")
# A hook's option as its source has it.
OPTION = re.compile(
    r"options'\]\.get\(\s*'(\w+)'"
    r"|(?:cconfig|config\[\w+\])(?:\.get\(|\[)'(\w+)'"
    r"|'(\w+)' in c(?:config)?\b"
    r"|value = c\.get\('(\w+)'"
)


class Default(NamedTuple):
    """A variable of the environment, and what counts where it is not set."""

    name: str
    value: str


def of_elements(folder: Path, elements: Iterable[str]) -> Found:
    """The names in some elements' files."""
    found: Found = defaultdict(set)
    for element in elements:
        found["Elements"].add(element)
        for path in sorted((folder / element).rglob("*")):
            if path.is_file() and path.suffix not in (".md", ".rst", ".pyc"):
                _add(found, path, element)
    return found


def _add(found: Found, path: Path, element: str) -> None:
    text = _without_comments(path.read_text())
    found["Paths"] |= set(PATH.findall(text)) - OF_THE_SYSTEM
    found["Units"] |= {each for each in UNIT.findall(text) if each.startswith(("os-", "heat-"))}
    found["Inputs"] |= set(INPUT.findall(text))
    found["Outputs"] |= set(OUTPUT.findall(text))
    found["Packages of an image"] |= set(_packages(path, text))
    if path.parent.name == "bin":
        found["Programs"].add(path.name)
    if path.parent.name == "bin" or path.name.startswith("hook-"):
        found["Files of the elements"].add(_below(path, element, keep=True))
    if _below(path, element).startswith(("os-refresh-config/", "os-apply-config/")):
        found["Scripts and templates"].add(_below(path, element))
    if "import " in text:
        found["Variables of a server"] |= {each.name for each in defaults(path)}
    else:
        own = OF_DIB | set(GIVEN_IN_SHELL.findall(text))
        found["Variables of a build"] |= set(IN_SHELL.findall(text)) - own
    found["Variables of a build"] |= {f"DIB_{each}" for each in _asked_of_dib(path, text)}
    if path.name.startswith("hook-"):
        group = element.removeprefix("heat-config-")
        found["Groups"].add(group)
        names = {name for names in OPTION.findall(text) for name in names if name}
        found["Options"] |= {f"{group} {name}" for name in names}


def _below(path: Path, element: str, *, keep: bool = False) -> str:
    """A file's path in its element, or from it on."""
    parts = path.parts[len(path.parts) - 1 - path.parts[::-1].index(element) :]
    return "/".join(parts if keep else parts[1:])


def _packages(path: Path, text: str) -> Iterator[str]:
    """What an element has installed beside itself."""
    if path.name == "package-installs.yaml":
        yield from re.findall(r"^([\w.-]+):", text, re.MULTILINE)
    words = (word for given in INSTALLED.findall(text) for word in given.split())
    yield from (word.partition("==")[0] for word in words if not word.startswith("-"))


def _asked_of_dib(path: Path, text: str) -> Iterator[str]:
    """The variables that dib's own programs make of an element's name."""
    if path.parent.name.endswith(("-package-install", "-source-install")):
        name = re.sub("-(package|source)-install$", "", path.parent.name)
        yield f"INSTALLTYPE_{name.replace('-', '_')}"
    for name in re.findall(r"get-pip-manifest ([\w-]+)", text):
        yield f"PIP_MANIFEST_{name.replace('-', '_')}"


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def of_package(package: Path) -> Found:
    """The names in a Python package's own modules."""
    found: Found = defaultdict(set)
    for path in sorted(package.glob("*.py")):
        tree = ast.parse(path.read_text())
        found["Variables of a server"] |= {each.name for each in defaults(path)}
        for name in filter(None, (_option(node, path.stem) for node in ast.walk(tree))):
            found["Programs"].add(f"{package.name.replace('_', '-')} {name}")
        texts = (each.value for each in ast.walk(tree) if isinstance(each, ast.Constant))
        found["Paths"] |= {path for text in texts for path in PATH.findall(str(text))}
    return found


def _option(node: ast.AST, module: str) -> str:
    """An option that a call adds, of the command line or (oslo.config) of a section of a file."""
    if not isinstance(node, ast.Call) or not node.args:
        return ""
    called = getattr(node.func, "attr", "")
    if called == "add_argument":
        return next((text for text in map(_text, node.args) if text.startswith("--")), "")
    if not called.endswith("Opt"):
        return ""
    name = _text(node.args[0])
    if any(each.arg == "positional" for each in node.keywords):
        return name
    return f"--{name}" if module == "collect" else f"[{module}] {name.replace('-', '_')}"


def defaults(path: Path) -> Iterator[Default]:
    """The variables of the environment that a Python file reads."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.environ.get":
            yield Default(_text(node.args[0]), _text(node.args[1]) if node.args[1:] else "")
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            yield Default(_text(node.slice), "")


def _text(node: ast.AST) -> str:
    value: Any = getattr(node, "value", "")
    return value if isinstance(value, str) else ""
