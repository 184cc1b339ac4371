# SPDX-License-Identifier: Apache-2.0
"""Values that are not what is expected where they stand, as JSON texts."""

from __future__ import annotations

import json

VALUES = {
    "null": "null",
    "true": "true",
    "zero": "0",
    "negative": "-1",
    "fraction": "1.5",
    "huge number": "1e400",
    "NaN": "NaN",
    "5000 digits": "9" * 5000,
    "empty text": '""',
    "empty list": "[]",
    "empty map": "{}",
    "list of lists": "[[[]]]",
    "map of a map": '{"a": {"b": null}}',
    "nested 200": "[" * 200 + "]" * 200,
    "nested 988": "[" * 988 + "]" * 988,
    "nested 100000": "[" * 100_000 + "]" * 100_000,
    "lone surrogate": r'"\ud800"',
    "NUL": r'"a\u0000b"',
    "newline": r'"a\nb\r\nc"',
    "escape sequence": r'"\u001b]0;title\u0007\u001b[2J\u009b31m"',
    "right to left": r'"\u202eevil\u2066"',
    "path": '"../../etc/passwd"',
    "slash": '"a/b"',
    "hidden": '".x"',
    "246 bytes": json.dumps("x" * 246),
    "90 CJK": json.dumps("\u6f22" * 90),
    "a megabyte": json.dumps("y" * 100_000),
    "shell": '"$(touch /tmp/evil); `id` ; rm -rf x"',
    "template": '"{{deployments}}"',
    "option": '"--help"',
}

# Zaqar itself cannot read these, and so never has them on a queue.
ON_NO_QUEUE = ("5000 digits", "nested 988", "nested 100000")
ON_A_QUEUE = {name: text for name, text in VALUES.items() if name not in ON_NO_QUEUE}
