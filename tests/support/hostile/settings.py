# SPDX-License-Identifier: Apache-2.0
"""Values of the metadata's section os-collect-config that its program cannot use."""

from __future__ import annotations

from typing import Any

_OWN: dict[str, tuple[Any, ...]] = {
    "polling_interval": ("30s", -1, 0, "", [], {}, 1e300, "nan", "9" * 5000),
    "min_polling_interval": ("x", -5, "inf", 0),
    "splay": ("x", -1, 1e300, "nan"),
    "collectors": ("zaqar", [], {}, None, ["unknown", "zaqar"], [1], [["zaqar"]], "\n"),
    "command": (None, 7, ""),
    "cachedir": (7, [], ""),
    "zaqar.use_websockets": ("maybe", 2, []),
    "zaqar.cache_lifetime": (-1, "x", "nan", 1e300),
    "zaqar.auth_url": ("no-scheme", 7, "http://[", "\x1b[2J"),
    "zaqar.ca_file": ("/no/such", 7, "/etc/shadow", "\0"),
    "zaqar.ssl_certificate_validation": ("perhaps", 3),
    "zaqar.region_name": ("\ud800", 7, "$x", "%(x)s"),
    "local.path": ("/no/such", 7),
    "ec2.timeout": ("x", -1),
    "request.metadata_url": ("x", 7),
    "cfn.metadata_url": ("ftp://[", 7),
}


def inputs() -> dict[str, tuple[str, Any]]:
    """Each as the option's dotted name and its value."""
    return {
        f"{name} = {str(value)[:30]!a}": (name, value)
        for name, values in _OWN.items()
        for value in values
    }
