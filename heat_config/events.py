# SPDX-License-Identifier: Apache-2.0
"""What happens on a server that others look for in the journal: the values of MESSAGE_ID.

They never change. docs/watching.md lists them.
"""

from __future__ import annotations

from enum import Enum


class Event(Enum):
    """One kind of entry."""

    COLLECTED = "d4c5f693c61145ddb0c33444137a0f86"
    """Something new was collected, and os-refresh-config is run with it."""
    NOT_APPLIED = "cdcea27233f5475e940c6fbd4d4df35a"
    """os-refresh-config has failed, and will be run again."""
    BEGUN = "439cf188d96d4934be0d18c9899229b4"
    """A config is run."""
    OUTPUT = "7d8119b9613a48698f71bf2551e9a9c8"
    """Lines that its hook has written: those that came at once."""
    DONE = "83113a6d4ac44644aa0d2ae49354055b"
    """A run has ended well."""
    FAILED = "3cb05b9bb89348308b0b608f14c448be"
    """A run has failed, or the config could not be run."""
    INTERRUPTED = "0dbd8cc63e604a048e8b53d26c9daabf"
    """A run was cut before it had a result."""
    UNFINISHED = "64fb3ac4c9cd4ce1b0775f8ecca08eef"
    """This server's disk has kept a config from being begun, or its result from being kept."""
    DELIVERED = "8899a464dc6f45c292a8e2f33e799e4e"
    """A result was accepted by its transport, or acknowledged by Heat."""
    PENDING = "975b0c14db694e20bf78da96b5ea07a5"
    """A result could not be delivered, and will be tried again."""
    ABANDONED = "a4b0407cf858400d86ea8077729b00ba"
    """A result can never be delivered: it was put aside."""
    SUPERSEDED = "8fd459e01f1c4dc3972b387fd04dbf89"
    """A result is not wanted any more: Heat asks for a newer config in its place."""
