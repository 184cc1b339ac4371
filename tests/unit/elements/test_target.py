# SPDX-License-Identifier: Apache-2.0
"""What wheels have to fit, as a build finds it out."""

from __future__ import annotations

from pathlib import Path

import pytest
from heat_config_venv.commands import BuildError
from heat_config_venv.target import (
    candidate,
    check_newest,
    packaged_python,
    platform_tags,
    python_of,
)

from tests.support.checkout import ELEMENTS

POLICY = """python3:
  Installed: (none)
  Candidate: 3.11.2-1+b1
  Version table:
     3.13.5-1 500
"""


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An image's root without a Python, and a sudo that enters it by its path alone."""
    (tmp_path / "usr/bin").mkdir(parents=True)
    sudo = tmp_path / "host" / "sudo"
    sudo.parent.mkdir()
    program(sudo, '[ "$1" = chroot ] || exit 9; root=$2; shift 2; exec "$root$@"')
    monkeypatch.setenv("PATH", f"{sudo.parent}:/usr/bin:/bin")
    return tmp_path


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


class TestPythonOf:
    def test_is_the_one_that_is_there(self, image: Path) -> None:
        program(image / "usr/bin/python3", "echo 3.12")
        program(image / "usr/bin/apt-cache", f"echo '{POLICY}'")

        assert python_of(image, "") == "3.12"

    def test_is_asked_of_the_interpreter_itself(self, image: Path) -> None:
        program(image / "usr/bin/python3", f'[ "$1" = -Sc ] && exec {image}/real "$@"')
        (image / "real").symlink_to("/usr/bin/python3")

        assert python_of(image, "").startswith("3.")

    def test_is_the_one_that_apt_would_install(self, image: Path) -> None:
        program(image / "usr/bin/apt-cache", f"[ \"$*\" = 'policy python3' ] && echo '{POLICY}'")

        assert python_of(image, "") == "3.11"

    def test_is_the_one_that_the_operator_has_chosen(self, image: Path) -> None:
        program(image / "usr/bin/python3", "echo 3.12")

        assert python_of(image, "3.14") == "3.14"

    @pytest.mark.parametrize(
        ("distribution", "release", "version"),
        [
            ("ubuntu", "jammy", "3.11"),
            ("ubuntu", "noble", ""),
            ("rocky", "9", "3.11"),
            ("centos", "9-stream", "3.11"),
            ("rocky", "10", ""),
            ("opensuse", "15.6", "3.11"),
            ("debian", "bookworm", ""),
        ],
    )
    def test_is_the_one_that_a_release_with_an_old_one_has_packaged(
        self, distribution: str, release: str, version: str
    ) -> None:
        pkg_map = ELEMENTS / "heat-config-venv/pkg-map"
        assert packaged_python(pkg_map, distribution, release) == version

    def test_that_cannot_be_told_says_what_to_set(self, image: Path) -> None:
        with pytest.raises(BuildError, match=r"say it: DIB_HEAT_CONFIG_PYTHON=3\.x"):
            python_of(image, "")

    def test_of_an_interpreter_that_fails_says_what_to_set(self, image: Path) -> None:
        program(image / "usr/bin/python3", "exit 1")

        with pytest.raises(BuildError, match="DIB_HEAT_CONFIG_PYTHON"):
            python_of(image, "")

    @pytest.mark.parametrize("chosen", ["python3", "3", "2.7", "3.11.2", "3.11\n"])
    def test_that_is_no_version_is_named(self, image: Path, chosen: str) -> None:
        with pytest.raises(BuildError) as caught:
            python_of(image, chosen)

        assert f"DIB_HEAT_CONFIG_PYTHON={chosen!r} must be" in str(caught.value)


@pytest.mark.parametrize(
    ("policy", "version"),
    [(POLICY, "3.11"), ("python3:\n  Candidate: (none)\n", ""), ("", "")],
)
def test_candidate(policy: str, version: str) -> None:
    assert candidate(policy) == version


class TestPlatformTags:
    def test_are_those_of_every_older_c_library_the_newest_first(self) -> None:
        tags = platform_tags("arm64")

        assert tags[0] == "manylinux_2_34_aarch64"
        assert tags[-2:] == ["manylinux_2_17_aarch64", "manylinux2014_aarch64"]
        assert len(tags) == 34 - 17 + 2

    def test_go_further_back_on_amd64(self) -> None:
        tags = platform_tags("amd64")

        assert {tag.removesuffix("_x86_64") for tag in tags} == {
            *(tag.removesuffix("_aarch64") for tag in platform_tags("arm64")),
            *("manylinux_2_12", "manylinux2010", "manylinux_2_5", "manylinux1"),
        }

    def test_of_an_unknown_architecture_name_it(self) -> None:
        with pytest.raises(BuildError, match="for the architecture riscv64"):
            platform_tags("riscv64")


class TestCheckNewest:
    @pytest.mark.parametrize(
        ("newest", "version"), [("3.11", "3.11"), ("3.11", "3.9"), ("", "3.14")]
    )
    def test_takes_a_python_that_is_not_too_new(self, newest: str, version: str) -> None:
        check_newest("tool", newest, version)

    def test_names_both_versions(self) -> None:
        with pytest.raises(BuildError, match=r"tool works with Python 3\.9 at most, .* has 3\.11"):
            check_newest("tool", "3.9", "3.11")
