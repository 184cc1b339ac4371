# SPDX-License-Identifier: Apache-2.0
"""What a run says of itself while it goes on, for people who watch; it decides nothing.

A deployment that carries an address for it gets messages on a queue of its own, as far as Zaqar
takes them at once: no result waits for one, and none is kept on the disk.
"""
