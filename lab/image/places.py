# SPDX-License-Identifier: Apache-2.0
"""Where images are made, and from what."""

from __future__ import annotations

from ..venv import CACHE
from ..venv import CHECKOUT as CHECKOUT

IMAGES = CACHE / "image"

# What goes into an image, below the checkout.
SOURCES = (
    "LICENSE",
    "elements",
    "heat_config",
    "hooks",
    "lab/elements",
    "lab/requirements-dib.txt",
    "pyproject.toml",
)
