# SPDX-License-Identifier: Apache-2.0
"""Where this checkout and its parts are."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ELEMENTS = REPOSITORY / "elements"
DOCS = REPOSITORY / "docs"
