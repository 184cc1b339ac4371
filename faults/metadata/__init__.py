# SPDX-License-Identifier: Apache-2.0
"""The other direction: ``python -m faults.metadata --seed S --number N``.

A seed makes schedules (:mod:`faults.metadata.schedule`). Each is a server's life: its
heat-config-collect runs again and again, as a process of its own, against a real Keystone and
Zaqar behind faulty wires, while Heat's part, which is a post to the server's queue, goes on
(:mod:`faults.metadata.drive`). It is killed at posts, at lists, at its operations on files, at
deletions, in its command and before its commit. Then everything heals, it runs once more, and one
counts:

    lost    what was applied last is not the newest that was posted
    older   something older was applied after something newer
    left    a message is still on the queue
    hung    a run did not come to its end
    raised  a run ended with a traceback
"""
