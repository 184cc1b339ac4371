# SPDX-License-Identifier: Apache-2.0
"""What a hook may print: the bytes of its standard output, and its exit status."""

from __future__ import annotations

from tests.support.hostile.values import VALUES

# Of a hook's answer, the parts that the agent reads.
_PARTS = ("deploy_status_code", "deploy_stdout", "deploy_stderr", "an_output")
_VALUES = (
    *("null", "true", "negative", "huge number", "NaN", "5000 digits", "empty list"),
    *("nested 988", "lone surrogate", "NUL", "escape sequence"),
)

INPUTS: dict[str, tuple[bytes, int]] = {
    **{name: (text.encode(), 0) for name, text in VALUES.items()},
    **{
        f"{part}: {name}": (f'{{"{part}": {VALUES[name]}}}'.encode(), 0)
        for part in _PARTS
        for name in _VALUES
    },
    "nothing": (b"", 0),
    "nothing, failed": (b"", 1),
    "bytes": (bytes(range(256)), 0),
    "no UTF-8": (b'{"deploy_stdout": "\xff\xfe"}', 0),
    "two answers": (b'{"deploy_status_code": 0}{"deploy_status_code": 1}', 0),
    "text before": (b'warning\n{"deploy_status_code": 0}', 0),
    "status 255": (b"{}", 255),
    "many NULs": (b"\0" * 100_000, 0),
    "one long line": (b"x" * 1_000_000, 0),
}
