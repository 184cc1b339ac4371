# SPDX-License-Identifier: Apache-2.0
"""The environments in an image: made of real wheels, by a real pip, without a network."""

from __future__ import annotations

import base64
import ensurepip
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from heat_config_venv import environment, install
from heat_config_venv.commands import BuildError

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


def wheel(folder: Path, name: str, *, requires: str = "", program: str = "") -> None:
    """Write a wheel of a module, and of a program that prints its name."""
    info = f"{name}-1.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
    files = {
        f"{name}.py": f"def main():\n    print('{name}')\n",
        f"{info}/METADATA": metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if program:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{program} = {name}:main\n"
    record = "".join(f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in files.items())
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(path, text)


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder of wheels with pip's, which the standard library brings."""
    bundled = next(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / bundled.name).symlink_to(bundled)
    return folder


def test_of_another_python_says_how_to_build_again(tmp_path: Path, wheels: Path) -> None:
    with pytest.raises(BuildError, match=rf"for Python 3\.1 .* DIB_HEAT_CONFIG_PYTHON={VERSION}$"):
        environment.make(tmp_path / "venv", wheels, wanted="3.1")
    assert not (tmp_path / "venv").exists()


def test_without_the_wheel_of_pip_says_so(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="0 wheels of pip"):
        environment.pip_in(tmp_path)


def test_holds_the_wheels_and_no_pip(tmp_path: Path, wheels: Path) -> None:
    wheel(wheels, "one", requires="absent>=2", program="say-one")
    made = environment.make(tmp_path / "venv", wheels, wanted=VERSION)

    made.install(wheels)

    assert run(tmp_path / "venv/bin/say-one") == "one\n"
    assert [path.name for path in made.site().glob("pip*")] == []
    assert environment.lacking(made.check()) == ["absent"]
    assert list(made.site().glob("__pycache__/one.*")) == []
    made.compile()
    assert list(made.site().glob("__pycache__/one.*")) != []


def test_pins_that_contradict_each_other_are_found(tmp_path: Path, wheels: Path) -> None:
    wheel(wheels, "one", requires="two>=2")
    wheel(wheels, "two")
    made = environment.make(tmp_path / "venv", wheels, wanted=VERSION)

    made.install(wheels)

    (line,) = environment.contradictions(made.check())
    assert "two" in line


def test_wheels_that_do_not_fit_stop_the_build(tmp_path: Path, wheels: Path) -> None:
    (wheels / "x-1-cp27-none-win32.whl").touch()
    made = environment.make(tmp_path / "venv", wheels, wanted=VERSION)

    with pytest.raises(BuildError, match="cannot be installed"):
        made.install(wheels)


def test_a_tools_programs_are_where_people_look(tmp_path: Path, wheels: Path) -> None:
    tool = tmp_path / "tool"
    tool.mkdir()
    wheel(tool / "wheels", "one", program="say-one")
    (tool / "programs").write_text("say-one\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "say-one").symlink_to("/an/older/one")
    made = environment.make(tmp_path / "venv", wheels, wanted=VERSION)

    install.install_tool(made, tool, programs)

    assert run(programs / "say-one") == "one\n"
    assert (programs / "say-one").readlink() == tmp_path / "venv/bin/say-one"


def test_a_tool_without_its_program_stops_the_build(tmp_path: Path, wheels: Path) -> None:
    tool = tmp_path / "tool"
    tool.mkdir()
    wheel(tool / "wheels", "one")
    (tool / "programs").write_text("say-one\n")
    made = environment.make(tmp_path / "venv", wheels, wanted=VERSION)

    with pytest.raises(BuildError, match="tool has no program say-one"):
        install.install_tool(made, tool, tmp_path)


@pytest.mark.parametrize("folder", ["/opt/bin", "usr/bin", ""])
def test_programs_that_no_service_would_find_stop_the_build(folder: str) -> None:
    with pytest.raises(BuildError, match="must be /usr/local/bin or /usr/bin"):
        install.programs_in(folder)


class TestSystemCertificates:
    def test_are_the_first_bundle_that_is_not_empty(self, tmp_path: Path) -> None:
        empty, full, own = (tmp_path / name for name in ("empty", "full", "certifi/cacert.pem"))
        own.parent.mkdir()
        for path, text in ((empty, ""), (full, "a"), (own, "certifi's own")):
            path.write_text(text)

        install.use_system_certificates(tmp_path, [tmp_path / "none", empty, full])

        assert own.readlink() == full

    def test_that_are_not_there_stop_the_build(self, tmp_path: Path) -> None:
        with pytest.raises(BuildError, match=f"no CA certificates; looked for {tmp_path}/none"):
            install.use_system_certificates(tmp_path, [tmp_path / "none"])


def run(program: Path) -> str:
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([program], capture_output=True, text=True, check=True, env=environ).stdout
