# SPDX-License-Identifier: Apache-2.0
"""How wheels come from a package index, once for all builds: with a stand-in for pip."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from heat_config_venv import gather, wheels
from heat_config_venv.commands import BuildError
from heat_config_venv.target import Target
from heat_config_venv.wheels import Pip, Wanted

TARGET = Target("3.11", "amd64")

# Makes one file for each line of the lists, and notes what it was asked for.
PIP = f"""#!{sys.executable}
import pathlib, sys
home, words = pathlib.Path(__file__).parent, sys.argv[3:]
with (home / "asked").open("a") as asked:
    print(*words, file=asked)
if "--version" in words:
    sys.exit(print("pip 1 from /here"))
value = dict(zip(words, words[1:]))
folder = pathlib.Path(value.get("--dest") or value["--wheel-dir"])
lists = [word.partition("=")[2] for word in words if word.startswith("--requirement=")]
for path in lists or [value["-r"]]:
    for name in pathlib.Path(path).read_text().split():
        if name == "missing":
            sys.exit(1)
        folder.mkdir(exist_ok=True)
        (folder / f"{{name}}.whl").touch()
"""


@pytest.fixture
def pip(tmp_path: Path) -> Pip:
    python = tmp_path / "python"
    python.write_text(PIP)
    python.chmod(0o755)
    return Pip(str(python))


def asked(pip: Pip) -> list[str]:
    """What the stand-in was asked for, each time."""
    path = Path(pip.python).with_name("asked")
    return path.read_text().splitlines() if path.exists() else []


def listed(path: Path, *names: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(names) + "\n")
    return path


def gathered(pip: Pip, wanted: Wanted, to: Path, target: Target = TARGET) -> set[str]:
    wheels.gather(pip, target, wanted, cache=to.parent / "cache", to=to)
    return {path.name for path in to.iterdir()}


class TestGather:
    def test_downloads_for_the_image_and_not_for_the_host(self, pip: Pip, tmp_path: Path) -> None:
        lists = (listed(tmp_path / "one", "a", "b"), listed(tmp_path / "two", "c"))

        assert gathered(pip, Wanted(lists), tmp_path / "to") == {"a.whl", "b.whl", "c.whl"}
        (words,) = asked(pip)
        assert words.startswith("-qq download --no-deps --only-binary=:all: --implementation cp")
        assert " --python-version 3.11 --platform=manylinux_2_34_x86_64 " in words

    def test_downloads_once_for_all_builds(self, pip: Pip, tmp_path: Path) -> None:
        wanted = Wanted((listed(tmp_path / "one", "a"),))

        assert gathered(pip, wanted, tmp_path / "first") == gathered(pip, wanted, tmp_path / "next")
        assert len(asked(pip)) == 1

    def test_downloads_again_for_another_python_architecture_or_list(
        self, pip: Pip, tmp_path: Path
    ) -> None:
        wanted = Wanted((listed(tmp_path / "one", "a"),))
        gathered(pip, wanted, tmp_path / "first")

        gathered(pip, wanted, tmp_path / "second", Target("3.12", "amd64"))
        gathered(pip, wanted, tmp_path / "third", Target("3.11", "arm64"))
        listed(tmp_path / "one", "b")

        assert gathered(pip, wanted, tmp_path / "fourth") == {"b.whl"}
        assert len(asked(pip)) == 4

    def test_keeps_nothing_of_a_download_that_failed(self, pip: Pip, tmp_path: Path) -> None:
        wanted = Wanted((listed(tmp_path / "one", "a", "missing"),))

        with pytest.raises(BuildError, match=r"not every wheel .* Python 3\.11 on amd64"):
            gathered(pip, wanted, tmp_path / "to")
        assert list((tmp_path / "cache").iterdir()) == []

    def test_takes_what_another_build_has_kept_meanwhile(self, pip: Pip, tmp_path: Path) -> None:
        wanted = Wanted((listed(tmp_path / "one", "a"),))
        others = tmp_path / "cache" / f"3.11-amd64-{wheels.key_of(wanted)}"

        class Slow(Pip):
            def download(self, target: Target, lists: Iterable[Path], to: Path) -> None:
                super().download(target, lists, to)
                others.mkdir()
                (others / "others.whl").touch()

        assert gathered(Slow(pip.python), wanted, tmp_path / "to") == {"others.whl"}

    def test_builds_what_the_index_has_sources_of_alone(self, pip: Pip, tmp_path: Path) -> None:
        sources = listed(tmp_path / "tool" / "sources.txt", "pure-1-py3-none-any")
        wanted = Wanted((listed(tmp_path / "one", "a"),), (sources,))

        assert gathered(pip, wanted, tmp_path / "to") == {"a.whl", "pure-1-py3-none-any.whl"}

    @pytest.mark.parametrize(
        ("name", "said"),
        [("missing", "cannot be built"), ("x-1-cp311-linux_x86_64", "for this machine alone")],
    )
    def test_names_the_sources_that_are_of_no_use(
        self, pip: Pip, tmp_path: Path, name: str, said: str
    ) -> None:
        sources = listed(tmp_path / "tool" / "sources.txt", name)

        with pytest.raises(BuildError, match=said) as caught:
            gathered(pip, Wanted((listed(tmp_path / "one", "a"),), (sources,)), tmp_path / "to")
        assert "tool/sources.txt" in str(caught.value)


class TestFindPip:
    def test_is_the_first_that_has_one(self, pip: Pip, tmp_path: Path) -> None:
        without = tmp_path / "without"
        without.write_text("#!/bin/sh\nexit 1\n")
        without.chmod(0o755)

        found = wheels.find_pip(["", "/no/such/python", str(without), pip.python])

        assert found == pip

    def test_says_where_it_looked(self) -> None:
        with pytest.raises(BuildError, match=r"'/no/such/python'.*install python3-pip"):
            wheels.find_pip(["", "/no/such/python"])


class TestTools:
    def test_get_wheels_of_their_own(self, pip: Pip, tmp_path: Path) -> None:
        tool = listed(tmp_path / "salt" / "requirements.txt", "a").parent
        listed(tool / "sources.txt", "pure-1-py3-none-any")
        listed(tool / "newest-python", "3.11")

        gather.gather_tool(pip, TARGET, tool, cache=tmp_path / "cache")

        assert len(list((tool / "wheels").iterdir())) == 2

    def test_whose_time_has_passed_are_not_downloaded(self, pip: Pip, tmp_path: Path) -> None:
        tool = listed(tmp_path / "old" / "requirements.txt", "a").parent
        listed(tool / "newest-python", "3.10")

        with pytest.raises(BuildError, match=r"old works with Python 3\.10 at most"):
            gather.gather_tool(pip, TARGET, tool, cache=tmp_path / "cache")
        assert asked(pip) == []
