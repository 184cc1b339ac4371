# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

from lab import user_data


def test_each_server_is_a_new_instance_that_leaves_the_network_alone(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        assert user_data.lay_ready("#cloud-config\n", folder) == {user_data.SEED: folder}
        assert (folder / "user-data").read_text() == "#cloud-config\n"
        assert folder.stat().st_mode & 0o077 == 0
    ids = {json.loads((folder / "meta-data").read_text())["instance-id"] for folder in folders}
    assert len(ids) == 2
    network = json.loads((folders[0] / "network-config").read_text())
    assert network == {"network": {"config": "disabled"}}
