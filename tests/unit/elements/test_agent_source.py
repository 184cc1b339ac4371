# SPDX-License-Identifier: Apache-2.0
"""The source tree that the agent's wheel is built from, in an image's build."""

from __future__ import annotations

from pathlib import Path

import pytest
from heat_config_venv import agent
from heat_config_venv.commands import BuildError

REPOSITORY = Path(__file__).parents[3]


def make(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_of_a_checkout_is_without_what_only_hosts_need(tmp_path: Path) -> None:
    checkout = make(
        tmp_path / "checkout",
        *("pyproject.toml", "LICENSE", "README.md", "elements/a/README.rst", "hooks/script"),
        *("heat_config/__init__.py", "heat_config/__pycache__/x.pyc", "heat_config/run/share/y.py"),
        "heat_config/run/__pycache__/x.pyc",
    )

    agent.copy_source(checkout / "elements", tmp_path / "source")

    assert names(tmp_path / "source") == {
        *("pyproject.toml", "LICENSE", "README.md", "elements", "hooks", "heat_config"),
        *("heat_config/__init__.py", "heat_config/run", "heat_config/run/share"),
        "heat_config/run/share/y.py",
    }
    # The build asks for a README; a server has none.
    assert (tmp_path / "source/README.md").read_text() == ""


def test_is_without_the_programs_that_come_with_heats_plugin(tmp_path: Path) -> None:
    agent.copy_source(REPOSITORY / "elements", tmp_path / "source")

    before = (REPOSITORY / "pyproject.toml").read_text().splitlines()
    after = (tmp_path / "source/pyproject.toml").read_text().splitlines()
    programs = {line.partition(" ")[0] for line in set(before) - set(after)}
    assert programs == {
        *("heat-config-heat-check", "heat-config-heat-paths", "heat-config-heat-turn-back"),
    }
    assert not (tmp_path / "source/heat_plugin").exists()
    assert not (tmp_path / "source/heat_operator").exists()


def test_of_an_installed_package_is_the_same(tmp_path: Path) -> None:
    package = make(
        tmp_path / "site-packages/heat_config",
        *("__init__.py", "cli.py", "share/pyproject.toml", "share/LICENSE", "share/README.md"),
        *("share/elements/a/README.rst", "share/hooks/script"),
    )

    agent.copy_source(package / "share/elements", tmp_path / "source")

    assert names(tmp_path / "source") == {
        *("pyproject.toml", "LICENSE", "README.md", "elements", "hooks", "heat_config"),
        *("heat_config/__init__.py", "heat_config/cli.py"),
    }


def test_that_is_not_there_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=f"beside the elements in {tmp_path}/elements"):
        agent.copy_source(tmp_path / "elements", tmp_path / "source")


def test_this_checkout_has_one() -> None:
    assert agent.package_beside(REPOSITORY / "elements") == REPOSITORY / "heat_config"
