# SPDX-License-Identifier: Apache-2.0
"""The elements as files: that dib can merge them, and what their programs do."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import tomllib
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import hooks
from heat_config import origin

REPOSITORY = Path(__file__).parents[3]
ELEMENTS = sorted(path for path in (REPOSITORY / "elements").iterdir() if path.is_dir())
ALL = [*ELEMENTS, *sorted((REPOSITORY / "lab" / "elements").iterdir())]
VENV_DATA = REPOSITORY / "elements" / "heat-config-venv" / "heat-config-venv"
TEMPLATE = (
    REPOSITORY / "elements" / "os-collect-config" / "os-apply-config/etc/os-collect-config.conf"
)
ZAQAR = {
    "auth_url": "http://keystone.example/v3",
    "user_id": "u",
    "password": "p",
    "project_id": "pr",
    "queue_id": "q",
}


def config(**values: Any) -> dict[str, Any]:
    return {"os-collect-config": values}


PHASES = {
    *("root.d", "extra-data.d", "pre-install.d", "install.d", "post-install.d"),
    *("block-device.d", "pre-finalise.d", "finalise.d", "cleanup.d"),
}


def files_of(element: Path) -> list[Path]:
    found = (path for path in element.rglob("*") if "__pycache__" not in path.parts)
    return [path for path in found if path.is_file()]


def scripts_of(element: Path) -> list[Path]:
    return [path for path in files_of(element) if PHASES & set(path.relative_to(element).parts)]


def test_what_the_part_handler_writes_is_private_from_the_beginning(tmp_path: Path) -> None:
    """It opens a file to write, as it was: that must be JSON before, for os-apply-config."""
    rules = REPOSITORY / "elements/os-collect-config/os-collect-config/tmpfiles.conf"
    subprocess.run(["systemd-tmpfiles", f"--root={tmp_path}", "--create", "--", rules], check=True)
    for fallback in origin.FALLBACKS[1:]:
        path = tmp_path / fallback.lstrip("/")
        assert path.exists() or path.parent.stat().st_mode & 0o777 == 0o700
    data = tmp_path / "var/lib/cloud/data"
    assert json.loads((data / "cfn-init-data").read_text()) == {}
    (data / "cfn-init-data").write_text("the handler's")
    assert (data / "cfn-init-data").stat().st_mode & 0o777 == 0o600
    # cloud-init's own files there are for everybody: `cloud-init status` reads them.
    assert data.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("element", ALL, ids=lambda element: element.name)
class TestEachElement:
    def test_has_a_readme_with_its_name_as_title(self, element: Path) -> None:
        title = (element / "README.rst").read_text().splitlines()[1]

        assert title == element.name

    def test_has_only_scripts_in_phase_folders_that_dib_runs(self, element: Path) -> None:
        for script in scripts_of(element):
            assert os.access(script, os.X_OK), script
            assert re.fullmatch(r"[0-9]{2}-[0-9A-Za-z_-]+", script.name), script

    def test_maps_only_packages_that_it_asks_for_and_whose_names_differ(
        self, element: Path
    ) -> None:
        asked = element / "package-installs.yaml"
        names = set(yaml.safe_load(asked.read_text())) if asked.exists() else set()
        mapped = element / "pkg-map"

        found = mapped_in(json.loads(mapped.read_text())) if mapped.exists() else []

        assert [(name, to) for name, to in found if name not in names or name == to] == []


def mapped_in(pkg_map: dict[str, Any]) -> list[tuple[str, str]]:
    """Each package of a pkg-map, and what it is called there, whatever it is that says so."""
    if not all(isinstance(value, str) for value in pkg_map.values()):
        return [pair for value in pkg_map.values() for pair in mapped_in(value)]
    return list(pkg_map.items())


def test_each_group_has_an_example_that_its_elements_readme_names() -> None:
    for group in hooks.programs():
        readme = (REPOSITORY / f"elements/heat-config-{group}/README.rst").read_text()
        assert f"``docs/hooks/{group}.yaml``" in readme
        example = yaml.safe_load((REPOSITORY / f"docs/hooks/{group}.yaml").read_text())
        assert example["resources"]["config"]["properties"]["group"] == group


def test_no_two_elements_own_the_same_file() -> None:
    owners = defaultdict(list)
    for element in ALL:
        for path in files_of(element):
            relative = path.relative_to(element)
            if len(relative.parts) > 1:
                owners[relative].append(element.name)

    assert {path: names for path, names in owners.items() if len(names) > 1} == {}


class TestEnvironmentOfTheImage:
    def test_pins_every_distribution_once(self) -> None:
        names = []
        for line in lines_of(VENV_DATA / "requirements.txt"):
            name, version = line.split("==")
            assert version
            names.append(name)

        assert names == sorted(set(names))

    def test_leaves_nothing_out_that_it_pins_and_gives_a_reason(self) -> None:
        pinned = {line.split("==")[0] for line in lines_of(VENV_DATA / "requirements.txt")}
        for line in lines_of(VENV_DATA / "left-out"):
            name, reason = line.split(maxsplit=1)
            assert reason
            assert name not in pinned

    def test_holds_what_the_agent_asks_for(self) -> None:
        project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
        asked = [*project["dependencies"], *project["optional-dependencies"]["collect"]]
        pinned = dict(line.split("==") for line in lines_of(VENV_DATA / "requirements.txt"))

        wanted = [Requirement(each) for each in asked]
        pins = {each.name: pinned.get(canonicalize_name(each.name), "") for each in wanted}

        assert set(pins) >= {"python-zaqarclient", "PyYAML", "os-collect-config"}
        assert [each for each in wanted if not pins[each.name]] == []
        assert [each for each in wanted if not each.specifier.contains(pins[each.name])] == []


def lines_of(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


class TestTemplateOfOsCollectConfig:
    def test_of_nothing_is_the_configuration_for_the_first_boot(self) -> None:
        assert render({}) == (
            "[DEFAULT]\n"
            "command = os-refresh-config\n"
            "collectors = heat_local\n"
            "collectors = ec2\n"
            "collectors = local\n"
        )

    @pytest.mark.parametrize("section", [None, [], "text", 7, {"collectors": None}])
    def test_of_a_section_that_says_nothing_is_the_same(self, section: Any) -> None:
        assert render({"os-collect-config": section}) == render({})

    def test_has_all_that_heat_sends_for_zaqar(self) -> None:
        zaqar = {
            "auth_url": "https://keystone.example/v3",
            "user_id": "u",
            "password": "p",
            "project_id": "t",
            "queue_id": "q",
            "region_name": "RegionOne",
        }

        sections = parse(render(config(collectors=["zaqar", "local"], zaqar=zaqar)))

        assert sections["DEFAULT"]["collectors"] == ["zaqar", "local"]
        assert {name: [value] for name, value in zaqar.items()}.items() <= sections["zaqar"].items()

    def test_has_all_that_heats_plug_in_sends_for_a_signed_queue(self) -> None:
        path = "/v2/queues/q/messages"
        signed = f"zaqar+https://h{path}?project=p&methods=DELETE,GET&paths={path}&signature=0a"
        heats = dict.fromkeys(["auth_url", "user_id", "password", "project_id"])
        zaqar = {**heats, "queue_id": "q", "signed_address": signed}

        section = parse(render(config(collectors=["zaqar", "local"], zaqar=zaqar)))["zaqar"]

        assert section["signed_address"] == [signed]
        assert set(section) == {
            "queue_id",
            "signed_address",
            "ssl_certificate_validation",
            "ca_file",
        }

    def test_verifies_certificates_unless_told_otherwise(self) -> None:
        section = parse(render(config(zaqar={"queue_id": "q"})))["zaqar"]
        assert section["ssl_certificate_validation"] == ["True"]
        assert section["ca_file"][0].startswith("/etc/")

        told = {"queue_id": "q", "ssl_certificate_validation": False, "ca_file": "/my/ca"}
        section = parse(render(config(zaqar=told)))["zaqar"]
        assert section["ssl_certificate_validation"] == ["False"]
        assert section["ca_file"] == ["/my/ca"]

    def test_leaves_out_a_transport_that_heat_has_set_to_null(self) -> None:
        nulls = dict.fromkeys(["auth_url", "user_id", "password", "project_id", "queue_id"])

        text = render(config(zaqar=nulls, heat=nulls, cfn=None, request={"metadata_url": ""}))

        assert text == render({})

    def test_drops_collectors_that_would_end_os_collect_config(self) -> None:
        sections = parse(render(config(collectors=["heat", "no-such", 3, "cfn"])))

        assert sections["DEFAULT"]["collectors"] == ["heat", "cfn"]

    def test_takes_no_value_that_would_become_another_line(self) -> None:
        text = render(config(heat={"user_id": "u", "password": "p\n[zaqar]\nqueue_id = q"}))

        assert parse(text)["heat"] == {"user_id": ["u"]}

    @pytest.mark.parametrize("given", [None, [], ["no-such"], "nova", {}])
    def test_without_a_collector_all_are_asked(self, given: object) -> None:
        sections = parse(render(config(collectors=given, polling_interval=5)))

        assert sections == {
            "DEFAULT": {"command": ["os-refresh-config"], "polling_interval": ["5"]}
        }

    @pytest.mark.parametrize(
        ("given", "taken"),
        [
            ("/no/such --program", "os-refresh-config"),
            ("no-such-program", "os-refresh-config"),
            ("a\nb", "os-refresh-config"),
            ([1], "os-refresh-config"),
            ("sh", "sh"),
            ("cd / && no-such-program $HOME", "cd / && no-such-program $$HOME"),
        ],
    )
    def test_a_program_that_is_not_there_could_apply_no_better_one(
        self, given: object, taken: str
    ) -> None:
        assert parse(render(config(command=given, splay=1)))["DEFAULT"]["command"] == [taken]

    @pytest.mark.parametrize(
        "lost", [{}, config(zaqar=None), config(zaqar={}), {"deployments": []}]
    )
    def test_what_names_no_place_never_replaces_what_does(self, tmp_path: Path, lost: Any) -> None:
        current = tmp_path / "current"
        current.write_text(render(config(collectors=["zaqar"], zaqar=ZAQAR)))

        assert render(lost, current) == current.read_text()

    @pytest.mark.parametrize(
        "broken",
        [
            {**ZAQAR, "auth_url": "keystone.example/v3"},
            {**ZAQAR, "queue_id": None},
            {**ZAQAR, "password": "a\nb"},
            {},
            None,
        ],
    )
    def test_a_section_of_no_use_does_not_replace_one_of_use(
        self, tmp_path: Path, broken: Any
    ) -> None:
        current = tmp_path / "current"
        current.write_text(render(config(collectors=["zaqar"], zaqar=ZAQAR)))
        asked = config(collectors=["zaqar", "local"], polling_interval=7, zaqar=broken)

        sections = parse(render(asked, current))

        assert sections["zaqar"] == parse(current.read_text())["zaqar"]
        assert sections["DEFAULT"]["polling_interval"] == ["7"]
        healed = {**ZAQAR, "password": "new"}
        sections = parse(render(config(collectors=["zaqar"], zaqar=healed), current))
        assert sections["zaqar"]["password"] == ["new"]

    def test_another_transport_takes_the_place_of_the_one_before(self, tmp_path: Path) -> None:
        current = tmp_path / "current"
        current.write_text(render(config(collectors=["zaqar"], zaqar=ZAQAR)))
        request = {"metadata_url": "https://swift.example/v1/metadata"}
        nulls = dict.fromkeys(ZAQAR)

        sections = parse(
            render(config(collectors=["request"], request=request, zaqar=nulls), current)
        )

        assert set(sections) == {"DEFAULT", "request"}

    @pytest.mark.parametrize("value", ["a\ud800", 10**400, True, 1.5, [["x"]], {"a": 1}])
    @pytest.mark.parametrize("name", ["polling_interval", "collectors", "zaqar", "command"])
    def test_no_value_keeps_the_file_from_being_written(self, name: str, value: object) -> None:
        sections = parse(render(config(**{name: value, "splay": 3})))

        assert sections["DEFAULT"]["splay"] == ["3"]

    def test_repeats_an_option_for_each_item_of_a_list(self) -> None:
        sections = parse(render(config(cfn={"path": ["a.Metadata", "b.Metadata"]})))

        assert sections["cfn"]["path"] == ["a.Metadata", "b.Metadata"]

    @pytest.mark.parametrize(
        ("password", "written"),
        [("a$b", "a$$b"), (" a ", '" a "'), ("'a'", "\"'a'\""), ("a#b;c=d:e", "a#b;c=d:e")],
    )
    def test_quotes_what_oslo_config_would_change(self, password: str, written: str) -> None:
        assert f"\npassword = {written}\n" in render(config(heat={"password": password}))


def render(metadata: Any, current: Path = Path("/nonexistent")) -> str:
    done = subprocess.run(
        [TEMPLATE],
        input=json.dumps(metadata),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OS_COLLECT_CONFIG_FILE": str(current)},
    )
    return done.stdout


def parse(text: str) -> dict[str, dict[str, list[str]]]:
    sections: dict[str, dict[str, list[str]]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), defaultdict(list))
        elif line:
            name, value = line.split(" = ", 1)
            section[name].append(value)
    return {name: dict(options) for name, options in sections.items()}
