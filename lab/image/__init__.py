# SPDX-License-Identifier: Apache-2.0
"""Images with our elements: a tar to boot as a container here, a qcow2 to boot in a cloud.

    python3 -m lab.image tar|qcow2 [--release bookworm|trixie] [--element NAME]...

Needs root, as diskimage-builder does, and the packages in bindep.txt. An image is kept by what it
is made from, so it is built once; all of it lies in .cache/image.
"""

from __future__ import annotations

from .kinds import build_file_system, build_qcow2, build_tar
from .recipe import Others
from .root import unpack

__all__ = ["Others", "build_file_system", "build_qcow2", "build_tar", "unpack"]
