# SPDX-License-Identifier: Apache-2.0
"""What tests of packages know of them."""

from __future__ import annotations

DEPENDENCIES = ("ca-certificates", "jq", "python3", "rsync")
"""What the agent's package depends on, beside what each Debian has."""
