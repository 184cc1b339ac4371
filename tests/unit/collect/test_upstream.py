# SPDX-License-Identifier: Apache-2.0
"""What is taken for granted of os-collect-config: the names that are replaced, and those used.

Its next version is taken into use by making these true again.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from oslo_config import cfg
from packaging.requirements import Requirement

from heat_config.collect import collector, upstream
from tests.support.checkout import REPOSITORY

# From where each of its modules that are loaded takes what is not its own, nor Python's.
TAKEN = {
    "cache": {"oslo_config": {"cfg"}},
    "cfn": {
        "keystoneclient.contrib.ec2": {"utils"},
        "lxml": {"etree"},
        "oslo_config": {"cfg"},
        "oslo_log": {"log"},
    },
    "collect": {"oslo_config": {"cfg"}, "oslo_log": {"log"}},
    "common": {"requests": {"requests"}},
    "config_drive": {"oslo_log": {"log"}},
    "ec2": {"oslo_config": {"cfg"}, "oslo_log": {"log"}},
    "exc": {},
    "heat": {
        "heatclient": {"client"},
        "keystoneclient.v3": {"client"},
        "oslo_config": {"cfg"},
        "oslo_log": {"log"},
    },
    "heat_local": {"oslo_config": {"cfg"}, "oslo_log": {"log"}},
    "keystone": {
        "dogpile": {"cache"},
        "keystoneclient": {"discover", "exceptions"},
        "keystoneclient.v3": {"client"},
        "oslo_config": {"cfg"},
    },
    "local": {"oslo_config": {"cfg"}, "oslo_log": {"log"}},
    "request": {"oslo_config": {"cfg"}, "oslo_log": {"log"}},
    "version": {"pbr.version": {"pbr.version"}},
}
OWN = "os_collect_config"


def source_of(module: str) -> str:
    found = importlib.util.find_spec(OWN)
    assert found and found.submodule_search_locations
    return Path(found.submodule_search_locations[0], f"{module}.py").read_text()


def imports(module: str) -> Iterator[tuple[str, str]]:
    """What a module of os-collect-config's imports when it is loaded: from where, and what."""
    for node in ast.parse(source_of(module)).body:
        if isinstance(node, ast.ImportFrom):
            yield from ((str(node.module), each.name) for each in node.names)
        elif isinstance(node, ast.Import):
            yield from ((each.name, each.name) for each in node.names)


def loaded() -> set[str]:
    """Its modules that are loaded with collect, less those that are replaced."""
    found, left = set(), ["collect"]
    while left:
        found.add(module := left.pop())
        own = {name for where, name in imports(module) if where == OWN}
        left += own - found - {"zaqar", "merger"}
    return found


def test_it_is_loaded_as_it_was() -> None:
    assert loaded() == set(TAKEN)
    assert (OWN, "zaqar") in imports("collect")
    users = [each for each in TAKEN if (OWN, "merger") in imports(each)]
    assert users == ["cfn", "heat", "request"]


@pytest.mark.parametrize("module", TAKEN)
def test_what_each_module_takes_from_elsewhere(module: str) -> None:
    found: dict[str, set[str]] = {}
    for where, name in imports(module):
        if where != OWN and where.partition(".")[0] not in sys.stdlib_module_names:
            found.setdefault(where, set()).add(name)
    assert found == TAKEN[module]


def test_what_is_large_and_only_that_waits_for_its_first_use() -> None:
    taken = {
        (where, name)
        for of_module in TAKEN.values()
        for where, names in of_module.items()
        for name in names
    }
    waiting = {(where, name) for where, names in upstream._LARGE.items() for name in names}
    assert waiting <= taken
    large = {where.partition(".")[0] for where in upstream._LARGE}
    assert waiting == {each for each in taken if each[0].partition(".")[0] in large}


def run(statements: str) -> str:
    code = f"import sys\nfrom heat_config.collect import collector, upstream\n{statements}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_large_is_not_loaded_before_and_is_itself_afterwards() -> None:
    printed = run(
        "large = {name.partition('.')[0] for name in upstream._LARGE}\n"
        "print([name for name in sys.modules if name.partition('.')[0] in large])\n"
        "from os_collect_config import cfn, heat, keystone\n"
        "print(cfn.etree.fromstring('<a>b</a>').text, cfn.ec2_utils.Ec2Signer.__name__)\n"
        "print(heat.heatclient.Client.__module__, heat.keystoneclient.Client.__name__)\n"
        "print(keystone.cache.make_region.__name__, keystone.ks_exc.NotFound.__name__)\n"
        "print(keystone.ks_discover.Discover.__name__)\n"
    )
    assert printed.splitlines() == [
        "[]",
        "b Ec2Signer",
        "heatclient.client Client",
        "make_region NotFound",
        "Discover",
    ]


def test_its_zaqar_collector_is_ours() -> None:
    assert upstream.collect.COLLECTORS["zaqar"] is collector
    others = ("ec2", "cfn", "heat", "heat_local", "local", "request")
    assert set(upstream.collect.COLLECTORS) == {"zaqar", *others}
    for name in others:
        assert hasattr(upstream.collect.COLLECTORS[name], "Collector")


@pytest.mark.parametrize("name", ["cfn", "heat", "request"])
def test_the_merger_of_its_collectors_is_ours(name: str) -> None:
    """Under the name and with the arguments of its own."""
    (theirs,) = [
        [argument.arg for argument in node.args.args]
        for node in ast.walk(ast.parse(source_of("merger")))
        if isinstance(node, ast.FunctionDef) and node.name == "merged_list_from_content"
    ]
    ours = importlib.import_module(f"{OWN}.{name}").merger.merged_list_from_content
    assert len(inspect.signature(ours).parameters) == len(theirs)
    content = {"deployments": [{"name": "a/b", "config": {"k": 1}}]}
    assert ours(content, ["deployments"], name) == [(name, content), ("a/b", {"k": 1})]


def test_ours_has_its_name_its_options_and_its_interface() -> None:
    found = importlib.util.find_spec(OWN)
    assert found and found.submodule_search_locations
    path = Path(found.submodule_search_locations[0], "zaqar.py")
    spec = importlib.util.spec_from_file_location("replaced_zaqar", path)
    assert spec and spec.loader
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    assert theirs.name == collector.name
    ours = {option.name: option for option in collector.opts}
    for option in theirs.opts:
        same = ours[option.name]
        assert same.dest == option.dest
        assert isinstance(same, type(option)) or isinstance(option, cfg.StrOpt), option.name
    assert callable(theirs.Collector.collect)


def test_the_names_that_the_loop_uses() -> None:
    assert list(inspect.signature(upstream.collect.setup_conf).parameters) == []
    assert list(inspect.signature(upstream.collect.getfilehash).parameters) == ["files"]
    assert upstream.version.version_info.version_string()
    for error in ("ZaqarMetadataNotAvailable", "SourceNotAvailable"):
        assert issubclass(getattr(upstream.exc, error), upstream.exc.SourceNotAvailable)
    for error in ("ZaqarMetadataNotConfigured", "SourceNotConfigured"):
        assert issubclass(getattr(upstream.exc, error), upstream.exc.SourceNotConfigured)
    assert issubclass(upstream.exc.RequestMetadataNotConfigured, RuntimeError)
    # Others are put in their places.
    for module in ("cfn", "heat_local", "local", "request"):
        assert attributes_of(module, "json") == {"loads"}
    assert "locale" in dict(imports("local"))
    used = attributes_of("local", "locale")
    assert used == {"LC_ALL", "getlocale", "setlocale", "strxfrm"}


def attributes_of(module: str, name: str) -> set[str]:
    """What a module of os-collect-config's uses of another module."""
    return {
        node.attr
        for node in ast.walk(ast.parse(source_of(module)))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    }


def test_no_other_version_is_installed_than_one_that_was_looked_at() -> None:
    listed = (REPOSITORY / "pyproject.toml").read_text()
    (line,) = [each for each in listed.splitlines() if each.startswith("collect = ")]
    wanted = [Requirement(each) for each in ast.literal_eval(line.partition("=")[2].strip())]
    (bounds,) = [each.specifier for each in wanted if each.name == "os-collect-config"]
    assert version("os-collect-config") in bounds
    assert "15.0" not in bounds
