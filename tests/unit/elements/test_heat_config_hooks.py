# SPDX-License-Identifier: Apache-2.0
"""How an element finds its hook."""

from __future__ import annotations

import shutil
from pathlib import Path

import heat_config_hooks
import pytest
from heat_config_hooks import HookError

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def elements(tmp_path: Path) -> Path:
    """A project with the group script, and with elements that are no group's."""
    add_element(tmp_path, "heat-config", "heat-config-venv")
    add_element(tmp_path, "heat-config-venv", "package-installs")
    add_element(tmp_path, "heat-config-script", "dib-init-system\nheat-config")
    add_hook(tmp_path, "script")
    return tmp_path / "elements"


def add_element(project: Path, name: str, deps: str) -> None:
    path = project / "elements" / name / "element-deps"
    path.parent.mkdir(parents=True)
    path.write_text(f"{deps}\n")


def add_hook(project: Path, name: str) -> Path:
    path = project / "hooks" / f"{name}.py"
    path.parent.mkdir(exist_ok=True)
    shutil.copy(REPOSITORY / "hooks" / "__init__.py", path.parent)
    path.write_text(f"#!/bin/sh\n: {name}\n")
    path.chmod(0o755)
    return path


def test_each_group_of_this_project_has_a_hook_and_each_hook_an_element() -> None:
    elements = REPOSITORY / "elements"

    heat_config_hooks.check(elements)

    assert set(heat_config_hooks.groups(elements)) == set(heat_config_hooks.hooks(elements))
    assert {"script", "ansible"} <= set(heat_config_hooks.hooks(elements))


def test_what_does_not_depend_on_heat_config_is_no_groups(elements: Path) -> None:
    heat_config_hooks.check(elements)

    assert set(heat_config_hooks.groups(elements)) == {"script"}


def test_a_group_without_a_hook_stops_the_build(elements: Path) -> None:
    add_element(elements.parent, "heat-config-puppet", "heat-config")

    with pytest.raises(HookError, match=r"element heat-config-puppet .* has no hook") as caught:
        heat_config_hooks.check(elements)
    assert f"add {elements.parent}/hooks/puppet" in str(caught.value)


@pytest.mark.parametrize("deps", [None, "package-installs"])
def test_a_hook_without_a_groups_element_stops_the_build(elements: Path, deps: str | None) -> None:
    hook = add_hook(elements.parent, "puppet")
    if deps:
        add_element(elements.parent, "heat-config-puppet", deps)

    with pytest.raises(HookError, match=f"^the hook {hook} has no element"):
        heat_config_hooks.check(elements)


class TestProgram:
    def test_copies_the_hooks_of_the_image_beside_those_of_other_elements(
        self, elements: Path, tmp_path: Path
    ) -> None:
        add_element(elements.parent, "heat-config-puppet", "heat-config")
        add_hook(elements.parent, "puppet")
        to = tmp_path / "heat-config-hooks"
        to.mkdir()
        (to / "others").touch()
        image = ["heat-config-script", "heat-config", "heat-config-venv", "script", "vm"]

        assert heat_config_hooks.main([str(to), *pairs(elements, image)]) == 0
        assert {path.name for path in to.iterdir()} == {"script", "others"}
        assert (to / "script").stat().st_mode & 0o777 == 0o755

    def test_gives_an_element_that_lies_elsewhere_the_hook_of_its_name(
        self, elements: Path, tmp_path: Path
    ) -> None:
        own = [*pairs(elements, ["heat-config"]), "heat-config-script=/mine/heat-config-script"]

        assert heat_config_hooks.main([str(tmp_path / "to"), *own]) == 0
        assert (tmp_path / "to/script").exists()

    def test_says_what_is_missing_and_copies_nothing(
        self, elements: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        add_element(elements.parent, "heat-config-puppet", "heat-config")

        words = [str(tmp_path / "to"), *pairs(elements, ["heat-config", "heat-config-script"])]

        assert heat_config_hooks.main(words) == 1
        assert capsys.readouterr().err.startswith("heat-config: the element heat-config-puppet")
        assert not (tmp_path / "to").exists()


def pairs(elements: Path, names: list[str]) -> list[str]:
    return [f"{name}={elements / name}" for name in names]
