# SPDX-License-Identifier: Apache-2.0
"""What a server never runs: how it is read, checked and taken out."""

from __future__ import annotations

from pathlib import Path

import pytest
from heat_config_venv import left_out
from heat_config_venv.commands import BuildError

LISTED = left_out.parse("""# What nobody/needs
cffi     cryptography alone
jsonpatch  openstacksdk's

*/tests  their own tests
netaddr/eui/*.txt  makers
*.dist-info/direct_url.json  where
""")

GOOD = "No broken requirements found.\n"
MISSING = "oslo.utils 9.0 requires {}, which is not installed.\n"
OLD = "heatclient 5.3 has requirement oslo.utils>=9, but you have oslo.utils 3.0.\n"


def test_tells_distributions_from_paths() -> None:
    assert LISTED.distributions == {"cffi", "jsonpatch"}
    assert LISTED.patterns == ("*/tests", "netaddr/eui/*.txt", "*.dist-info/direct_url.json")


class TestCheck:
    @pytest.mark.parametrize("found", [GOOD, MISSING.format("cffi") + MISSING.format("jsonpatch")])
    def test_takes_what_lacks_only_what_is_left_out(self, found: str) -> None:
        left_out.check(found, LISTED)

    def test_names_all_that_was_forgotten_by_normal_names(self) -> None:
        found = (
            MISSING.format("Oslo.Serialization") + MISSING.format("cffi") + MISSING.format("a_b")
        )

        with pytest.raises(BuildError, match=r"^a-b, oslo-serialization: neither in"):
            left_out.check(found, LISTED)

    def test_shows_the_pins_that_do_not_go_together(self) -> None:
        with pytest.raises(BuildError, match="do not go together") as caught:
            left_out.check(MISSING.format("cffi") + OLD, LISTED)
        assert str(caught.value).endswith(f":\n{OLD.strip()}")


def test_takes_out_what_matches_at_any_depth_and_nothing_else(tmp_path: Path) -> None:
    kept = ["tests/a.py", "a/tests.py", "a/testing/b.py", "netaddr/eui/__init__.py", "b.txt"]
    taken = ["a/tests/b.py", "a/b/tests/tests/c.py", "netaddr/eui/oui.txt"]
    taken += ["x-1.dist-info/direct_url.json"]
    for name in (*kept, *taken):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").mkdir()
    (tmp_path / "link/tests").symlink_to(tmp_path / "a/testing")

    left_out.take_out(tmp_path, LISTED.patterns)

    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == set(kept)
    assert not (tmp_path / "a/b/tests").exists()


def test_keeps_the_programs_that_are_started(tmp_path: Path) -> None:
    kept = {"python3", "os-collect-config", "heat-config-notify", "dib-run-parts"}
    for name in (*kept, "activate", "pbr", "os-config", "zaqar-bench"):
        (tmp_path / name).touch()
    (tmp_path / "__pycache__").mkdir()

    left_out.keep_programs(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == kept
