# SPDX-License-Identifier: Apache-2.0
"""``heat-config install`` on a server that is a folder: made, made again, upgraded, removed."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

import heat_config
from heat_config.cli import main
from heat_config.install import record
from heat_config.install.__main__ import main as install_part
from heat_config.install.parts import OPTIONAL, PARTS
from heat_config.install.steps import mark_of
from tests.support.checkout import ELEMENTS, REPOSITORY

pytestmark = pytest.mark.usefixtures("environment", "asked")


def tree(root: Path) -> dict[str, tuple[int, bytes | str | None]]:
    """All that is in a folder: each path's mode, and what it holds or leads to."""
    return {str(path.relative_to(root)): _held(path) for path in sorted(root.rglob("*"))}


def _held(path: Path) -> tuple[int, bytes | str | None]:
    if path.is_symlink():
        return 0, str(path.readlink())
    mode = stat.S_IMODE(path.stat().st_mode)
    return mode, path.read_bytes() if path.is_file() else None


def install(root: Path, *options: str) -> int:
    return main(["install", "--root", str(root), *options])


class TestInstall:
    def test_puts_all_where_the_agent_and_systemd_look_for_it(
        self, root: Path, environment: Path, asked: Path
    ) -> None:
        assert install(root, "--hook", "script", "--hook", "ansible") == 0

        assert (root / "usr/local/bin/heat-config").readlink() == environment / "heat-config"
        collector = environment / "heat-config-collect"
        assert (root / "usr/local/bin/os-collect-config").readlink() == collector
        hooks = root / "usr/libexec/heat-config/hooks"
        assert sorted(path.name for path in hooks.iterdir()) == ["ansible", "script"]
        assert (hooks / "script").read_text().startswith(f"#!{environment}/python3\n")
        assert (root / "usr/local/lib/systemd/system/heat-config-deliver.path").is_file()
        conf = (root / "etc/os-collect-config.conf").read_text()
        assert "collectors = heat_local\n" in conf
        modes = {
            **dict.fromkeys(("var/lib/heat-config/outbox", "var/log/heat-config"), 0o700),
            **dict.fromkeys(("etc/os-collect-config.conf", "var/log/os-apply-config.log"), 0o600),
            "usr/libexec/os-refresh-config/configure.d/55-heat-config": 0o755,
            "usr/libexec/os-apply-config/templates/etc/os-collect-config.conf": 0o755,
            "usr/libexec/os-refresh-config/environment.d/20-heat-config": 0o644,
        }
        found = {path: stat.S_IMODE((root / path).stat().st_mode) for path in modes}
        assert found == modes
        units = "os-collect-config.service heat-config-deliver.path heat-config-resume.path"
        assert asked.read_text() == f"--root={root} enable --quiet {units}\n"

    def test_changes_nothing_a_second_time(
        self, root: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        install(root)
        before = tree(root)
        capsys.readouterr()

        assert install(root) == 0

        assert tree(root) == before
        assert capsys.readouterr().out == "nothing to change: all is as it has to be\n"

    def test_mends_what_was_changed_and_leaves_the_operators_settings(self, root: Path) -> None:
        install(root)
        before = tree(root)
        (root / "usr/libexec/heat-config/hooks/script").write_text("#!/bin/sh\n")
        (root / "usr/local/bin/heat-config").unlink()
        (root / "var/lib/heat-config").chmod(0o755)
        assert install(root) == 0
        assert tree(root) == before

        (root / "etc/heat-config.conf").write_text("HEAT_CONFIG_DEADLINE=5\n")
        (root / "etc/os-collect-config.conf").write_text("[DEFAULT]\ncollectors = zaqar\n")
        (root / "etc/os-collect-config.conf").chmod(0o644)
        assert install(root) == 0
        assert (root / "etc/heat-config.conf").read_text() == "HEAT_CONFIG_DEADLINE=5\n"
        assert "zaqar" in (root / "etc/os-collect-config.conf").read_text()
        assert stat.S_IMODE((root / "etc/os-collect-config.conf").stat().st_mode) == 0o600

    def test_a_dry_run_says_all_and_does_nothing(
        self, root: Path, asked: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = tree(root)

        assert install(root, "--dry-run", "--hook", "docker-cmd") == 0

        said = capsys.readouterr().out
        assert tree(root) == before
        assert asked.read_text() == ""
        assert "would write /usr/libexec/heat-config/hooks/docker-cmd\n" in said
        assert "would link /usr/local/bin/heat-config\n" in said
        assert "needs its tool: apt-get install podman catatonit\n" in said
        install(root, "--hook", "docker-cmd")
        really = capsys.readouterr().out
        assert re.findall("(?m)^would (.*)$", said) == [
            line for line in really.splitlines() if not line.startswith("the hook")
        ]

    def test_other_hooks_take_the_place_of_those_before_and_none_keep_them(
        self, root: Path
    ) -> None:
        install(root, "--hook", "kubelet", "--hook", "json-file")
        unit = root / "usr/local/lib/systemd/system/heat-config-kubelet-load-images.service"
        assert unit.is_file()
        assert install(root) == 0
        hooks = root / "usr/libexec/heat-config/hooks"
        assert {path.name for path in hooks.iterdir()} == {"kubelet", "json-file"}

        assert install(root, "--hook", "json-file") == 0

        assert {path.name for path in hooks.iterdir()} == {"json-file"}
        assert not unit.exists()
        assert not list(root.rglob("50-heat-config-kubelet"))

    def test_an_upgrade_takes_away_what_the_version_before_had(
        self, root: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        install(root)
        old = root / "usr/libexec/os-refresh-config/configure.d/70-of-old"
        changed = root / "usr/libexec/os-refresh-config/configure.d/71-of-old"
        found = record.load(root)
        marks = {}
        for path in (old, changed):
            path.write_text("#!/bin/sh\n")
            marks[f"/{path.relative_to(root)}"] = mark_of(path)
        record.save(root, found._replace(version="0.0.1", made={**found.made, **marks}))
        changed.write_text("#!/bin/sh\nexit 1\n")

        assert install(root) == 0

        assert not old.exists()
        assert changed.exists()
        assert f"leave /{changed.relative_to(root)}: it was changed" in capsys.readouterr().out
        assert record.load(root) == found
        assert found.version == heat_config.__version__


class TestUninstall:
    def test_leaves_what_is_the_operators_and_the_servers(self, root: Path) -> None:
        before = tree(root)
        install(root, "--hook", "kubelet")
        result = root / "var/lib/heat-config/outbox/1.json"
        result.write_text("{}")

        assert install(root, "--uninstall") == 0

        left = set(tree(root)) - set(before)
        assert left == {
            *("etc/heat-config.conf", "etc/os-collect-config.conf", "var/log/os-apply-config.log"),
            *("var/lib/heat-config", "var/lib/heat-config/outbox"),
            "var/lib/heat-config/outbox/1.json",
            # Where user data with a password may have come.
            *("var/lib/heat-cfntools", "var/lib/cloud", "var/lib/cloud/data"),
            "var/lib/cloud/data/cfn-init-data",
        }

    def test_and_purging_leave_nothing(self, root: Path) -> None:
        before = tree(root)
        install(root)
        (root / "var/lib/heat-config/outbox/1.json").write_text("{}")
        (root / "var/lib/heat-cfntools/cfn-init-data").write_text("{}")

        assert install(root, "--purge") == 0

        assert tree(root) == before

    def test_purging_after_it_takes_away_the_rest(self, root: Path) -> None:
        before = tree(root)
        install(root)
        (root / "var/lib/heat-config/deployed").mkdir()
        install(root, "--uninstall")

        assert install(root, "--purge") == 0

        assert tree(root) == before

    def test_leaves_what_somebody_has_changed(
        self, root: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        install(root)
        hook = root / "usr/libexec/heat-config/hooks/script"
        hook.write_text("#!/bin/sh\n# ours\n")

        assert install(root, "--uninstall") == 0

        assert hook.exists()
        assert "leave /usr/libexec/heat-config/hooks/script: it was changed" in (
            capsys.readouterr().out
        )

    def test_a_dry_run_of_it_does_nothing(
        self, root: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        install(root)
        before = tree(root)
        capsys.readouterr()

        assert install(root, "--purge", "--dry-run") == 0

        assert tree(root) == before
        said = capsys.readouterr().out
        assert "would remove /usr/local/bin/heat-config\n" in said
        assert "would remove /var/lib/heat-config\n" in said


NOTIFY = "usr/bin/heat-config-notify"
HOOK = "usr/libexec/heat-config/hooks/script"


@pytest.fixture
def of_others(root: Path) -> dict[str, tuple[int, bytes | str | None]]:
    """A server with a package's program, hook and link where ours go: all that is in it."""
    for path, mode in ((NOTIFY, 0o755), (HOOK, 0o750)):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text("#!/bin/sh\n# of a package\n")
        (root / path).chmod(mode)
    (root / "usr/bin/os-apply-config").symlink_to("/opt/theirs/bin/os-apply-config")
    return tree(root)


@pytest.mark.usefixtures("of_others")
class TestOfOthers:
    """What a package has put where ours go: it is replaced when the operator says so."""

    def test_is_in_the_way(
        self,
        root: Path,
        of_others: dict[str, tuple[int, bytes | str | None]],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert install(root) == install(root, "--dry-run") == 1
        assert tree(root) == of_others
        said = capsys.readouterr().err.splitlines()
        paths = ", ".join(f"/{path}" for path in ("usr/bin/os-apply-config", NOTIFY, HOOK))
        assert f"in its way: {paths}. Remove the packages" in said[0]
        assert "--force" in said[0]
        assert said[0].partition(": ")[2] == said[1].partition(": ")[2]

    def test_is_kept_when_replaced_and_put_back_in_the_end(
        self,
        root: Path,
        environment: Path,
        of_others: dict[str, tuple[int, bytes | str | None]],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert install(root, "--force") == 0
        assert f"keep /{NOTIFY}, which is of others, in" in capsys.readouterr().out
        assert (root / NOTIFY).readlink() == environment / "heat-config-notify"
        assert stat.S_IMODE((root / "var/lib/heat-config/replaced").stat().st_mode) == 0o700
        assert install(root) == 0
        assert "nothing to change" in capsys.readouterr().out
        (root / NOTIFY).unlink()

        install(root, "--purge", "--dry-run")
        assert f"would put back /{NOTIFY}\n" in capsys.readouterr().out
        assert install(root, "--purge") == 0

        assert tree(root) == of_others

    def test_comes_back_when_its_hook_is_asked_for_no_more(self, root: Path) -> None:
        install(root, "--force")
        assert install(root, "--hook", "json-file") == 0
        assert "of a package" in (root / HOOK).read_text()
        assert f"/{HOOK}" not in record.load(root).replaced

    def test_is_asked_for_again_when_its_package_has_put_a_newer_one_there(
        self, root: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        install(root, "--force")
        (root / NOTIFY).unlink()
        (root / NOTIFY).write_text("#!/bin/sh\n# of the package, newer\n")

        assert install(root) == 1
        assert f"in its way: /{NOTIFY}. Remove" in capsys.readouterr().err
        assert install(root, "--force") == install(root, "--uninstall") == 0

        assert "newer" in (root / NOTIFY).read_text()

    def test_stays_kept_while_somebody_else_has_taken_the_place(
        self, root: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        install(root, "--force")
        (root / HOOK).write_text("#!/bin/sh\n# ours\n")
        kept = f"var/lib/heat-config/replaced/{HOOK}"

        assert install(root, "--uninstall") == 0

        assert "# ours" in (root / HOOK).read_text()
        assert f"installed; /{kept} was before it\n" in capsys.readouterr().out
        assert install(root, "--purge") == install(root, "--force") == 1
        assert f"/{kept}; move it away" in capsys.readouterr().err
        assert "of a package" in (root / kept).read_text()

    def test_a_disk_that_is_full_loses_none(
        self, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(shutil, "copyfile", full)
            assert install(root, "--force") == 1
        assert "of a package" in (root / NOTIFY).read_text()
        assert install(root, "--uninstall", "--dry-run") == 0
        assert f"would leave /{NOTIFY}: it was changed since it was installed\n" in (
            capsys.readouterr().out
        )
        assert install(root) == 1
        assert f"in its way: /usr/bin/os-apply-config, /{NOTIFY}" in capsys.readouterr().err

        assert install(root, "--force") == 0
        assert install(root, "--uninstall") == 0
        assert "of a package" in (root / NOTIFY).read_text()

    def test_a_power_cut_after_it_came_back_leaves_it(self, root: Path) -> None:
        install(root, "--force")
        kept = root / "var/lib/heat-config/replaced" / NOTIFY
        (root / NOTIFY).unlink()
        shutil.copy2(kept, root / NOTIFY)

        assert install(root, "--uninstall") == 0

        assert "of a package" in (root / NOTIFY).read_text()
        assert not kept.exists()

    def test_a_folder_is_never_replaced(
        self, root: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (root / "usr/bin/heat-config-rebuild-deployed").mkdir()
        assert install(root, "--force") == 1
        assert "/usr/bin/heat-config-rebuild-deployed is no file" in capsys.readouterr().err


class TestErrors:
    def said(self, capsys: pytest.CaptureFixture[str], root: Path, *options: str) -> str:
        before = tree(root)
        assert install(root, *options) == 1
        assert tree(root) == before
        return capsys.readouterr().err

    def test_there_is_no_such_hook(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        said = self.said(capsys, root, "--hook", "bash")
        assert "no hook bash; there are ansible, apply-config," in said

    def test_the_environment_is_not_whole(
        self, root: Path, environment: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (environment / "os-refresh-config").unlink()
        said = self.said(capsys, root)
        assert f"no program {environment}/os-refresh-config" in said
        assert "heat-config[server]" in said

    def test_it_is_the_systems_own_python(
        self, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "prefix", sys.base_prefix)
        assert "python3 -m venv" in self.said(capsys, root)

    def test_nothing_is_installed(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "nothing is installed here" in self.said(capsys, root, "--uninstall")

    def test_there_is_no_systemd(
        self, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(root))
        assert "runs under systemd alone" in self.said(capsys, root)

    def test_the_record_is_damaged(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        install(root)
        (root / record.PATH.lstrip("/")).write_text("{}")
        capsys.readouterr()
        assert "remove it and install again" in self.said(capsys, root)

    def test_only_root_can(
        self, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("os.geteuid", lambda: 1000)
        assert "only root" in self.said(capsys, root)

    def test_systemd_refuses_and_the_next_time_goes_on(
        self, root: Path, asked: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (asked.parent / "fails").touch()
        assert install(root) == 1
        assert "ended with exit status 5: Unit is masked." in capsys.readouterr().err
        (asked.parent / "fails").unlink()
        asked.write_text("")

        assert install(root) == 0
        assert "enable" in asked.read_text()
        assert install(root, "--uninstall") == 0
        assert not (root / "usr/local/bin/heat-config").is_symlink()


# The parts that each script of the elements installs, in the order in which dib runs them.
SCRIPTS = {
    path: re.findall(r"-m heat_config\.install .*/\.\.\" (\S+)", path.read_text())
    for path in sorted(ELEMENTS.glob("*/install.d/*"), key=lambda path: path.name)
    if path.parts[-3] != "heat-config-venv"
}


class TestInAnImage:
    """The elements' install.d make the same, by the same description."""

    def test_each_part_is_installed_by_the_script_of_its_name(self) -> None:
        by_name = {path.name.partition("-")[2]: parts for path, parts in SCRIPTS.items()}
        assert by_name == {part: [part] for part in PARTS}
        elements = {path.parts[-3] for path in SCRIPTS}
        assert elements >= OPTIONAL

    def test_an_image_has_what_a_server_has(self, root: Path, tmp_path: Path) -> None:
        groups = ("script", "kubelet")
        install(root, *(word for group in groups for word in ("--hook", group)))
        image = tmp_path / "image"
        merged = self.merged(tmp_path, groups)
        for (part,) in SCRIPTS.values():
            assert install_part(merged, part, image) == 0

        expected = {
            path: held
            for path, held in tree(root).items()
            if not path.endswith("installed.json") and held[1] is not None and "systemd" not in path
        }
        del expected["etc/os-release"]
        found = {path: held for path, held in tree(image).items() if held[1] is not None}
        assert found == expected

    def merged(self, tmp_path: Path, groups: tuple[str, ...]) -> Path:
        """What dib makes of the elements' folders, and extra-data.d of the hooks."""
        made = tmp_path / "merged"
        hooks = made / "heat-config-hooks"
        hooks.mkdir(parents=True)
        names = {"os-refresh-config", "os-apply-config", "os-collect-config", "heat-config"}
        for element in (*names, *(f"heat-config-{group}" for group in groups)):
            copy_into(ELEMENTS / element, made)
        for group in groups:
            (hooks / group).write_bytes((REPOSITORY / f"hooks/{group}.py").read_bytes())
        return made


def copy_into(folder: Path, to: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            copy = to / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
            copy.chmod(path.stat().st_mode)


def test_the_record_names_all_that_was_made(root: Path) -> None:
    install(root)
    written: dict[str, Any] = json.loads((root / record.PATH.lstrip("/")).read_text())
    assert written["hooks"] == ["script"]
    assert written["made"]["/usr/local/bin/heat-config"].startswith("link ")
    assert written["made"]["/usr/libexec/heat-config"] == "folder"
    assert "/usr/local/bin" not in written["made"]
    assert "/etc/heat-config.conf" not in written["made"]
