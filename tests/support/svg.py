# SPDX-License-Identifier: Apache-2.0
"""A picture of ours, as a tree."""

from __future__ import annotations

import xml.etree.ElementTree as Xml

SPACE = "{http://www.w3.org/2000/svg}"


def read(picture: str) -> Xml.Element:
    """Its root."""
    return Xml.fromstring(picture)  # noqa: S314 - our own


def texts(root: Xml.Element) -> list[str]:
    """All words in it, in their order."""
    return [each.text or "" for each in root.iter(f"{SPACE}text")]
