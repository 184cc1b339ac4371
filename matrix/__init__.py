# SPDX-License-Identifier: Apache-2.0
"""Every way in with every way out, through a stack's whole life: ``make matrix``.

A cell is one way in (``software_config_transport``) with one way out (``signal_transport``), on
Heat alone or with the plug-in: one stack with one idle server, on which the real collector and
agent run as processes, and one deployment for each of Heat's actions. Keystone, Zaqar, Swift and
Heat are real (:mod:`lab`).

    cells   which there are, and what is Heat's own        life    one cell, played and judged
    crowd   many servers in one stack                      table   what is printed
"""
