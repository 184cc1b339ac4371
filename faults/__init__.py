# SPDX-License-Identifier: Apache-2.0
"""Breaks things for real, and counts what was lost: ``make faults``, ``make faults-metadata``.

A seed makes schedules. Each drives the project's own programs, as processes with files of their
own, against a real control plane behind faulty wires. Both directions, results on their way out
(:mod:`faults.results`) and metadata on its way in (:mod:`faults.metadata`), are played, broken and
reported by the same modules; each adds what it asks for, what befalls it alone, and its judging:

    running    the command line, schedules side by side        report    what is printed
    schedule   the words for what happens, drawing from a seed  drive     attempts, timers, history
    world      places: wires to the lab's services, regions     wires     what befalls requests
    machine    a server: programs as processes, kills, clock    nursery   quick starts of programs
    insides    all that is known of heat_config's files         inject/   crash points, wrong time
"""
