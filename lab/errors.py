# SPDX-License-Identifier: Apache-2.0
"""The one exception that the lab raises on purpose."""


class LabError(Exception):
    """Something that the person at the keyboard can do something about.

    The message says what is wrong, the hint what to do next.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message}\n  {hint}" if hint else message)
