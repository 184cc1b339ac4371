# SPDX-License-Identifier: Apache-2.0
"""The specification of RPMs, and the lists of what is in them."""

from __future__ import annotations

import re

import pytest

from heat_config.install.steps import File, Folder, Kept, Link
from lab.errors import LabError
from packages import layout, spec, tree
from packages.deb import DEB
from packages.layout import ELEMENTS, Package
from packages.releases import RELEASES
from packages.rpm import RPM


def test_it_has_a_package_for_the_agent_and_one_for_each_hook() -> None:
    text = spec.spec("0.1.0", "1.el9", "Ann <ann@example.org>")
    hooks = [f"heat-config-{group}" for group in layout.groups(ELEMENTS)]
    assert re.findall(r"(?m)^%package -n (.*)$", text) == hooks
    assert re.findall(r"(?m)^%files (?:-n \S+ )?-f (\S+)\.files$", text) == ["heat-config", *hooks]
    assert "Packager: Ann <ann@example.org>\n" in text
    assert "Recommends: ansible-core\n" in text
    assert not re.search("#[A-Z]+#", text)


def test_a_list_says_what_each_path_is_and_who_may_read_it() -> None:
    steps = (
        Folder("/var/lib/x", 0o700),
        File("/usr/lib/x", b"", 0o755),
        Kept("/etc/x.conf", b"", 0o644),
        Kept("/etc/x.secret", b"", 0o600),
        Link("/usr/bin/x", "/opt/heat-config/bin/x"),
    )
    assert tree.listed(Package("heat-config-x", steps, (), ())) == [
        "%dir %attr(0700, root, root) /var/lib/x",
        "%attr(0755, root, root) /usr/lib/x",
        "%config(noreplace) %attr(0644, root, root) /etc/x.conf",
        "%attr(0644, root, root) /usr/share/heat-config/first/etc/x.secret",
        "/usr/bin/x",
    ]


def test_an_rpm_is_for_one_python_alone() -> None:
    assert RPM.version("0.2.0rc1", RELEASES["bookworm"], 2) == "0.2.0~rc1-2.el9"
    assert DEB.version("0.2.0rc1", RELEASES["trixie"], 2) == "0.2.0~rc1-2+deb13"
    with pytest.raises(LabError, match="Debian 12 alone"):
        RPM.version("0.1.0", RELEASES["trixie"], 1)
