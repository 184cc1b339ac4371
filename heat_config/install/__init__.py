# SPDX-License-Identifier: Apache-2.0
"""What an installation consists of, and its making: in an image and on a running server.

    parts  the description, as data  ─▶  items  ─▶  steps: a folder, a file, a link
                                                      ─▶  server: with its record and its services

The elements' ``install.d`` and ``heat-config install`` make the same from the same files, those of
the elements.
"""
