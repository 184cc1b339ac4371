# SPDX-License-Identifier: Apache-2.0
"""Packages of distributions: the agent with its environment, and one package for each hook.

    python3 -m packages deb [--release bookworm] [--revision 1]

builds them in a root of that release, made by mmdebstrap, without a network:

    source (the checkout, wheels)  ─▶  debian/rules: dh_virtualenv, environment, layout  ─▶  *.deb

``layout`` puts into them what :mod:`heat_config.install.parts` describes, so a package, an
image and ``heat-config install`` give a server the same. What is theirs dpkg knows, asks about and
takes away; the maintainer scripts do what it cannot.
"""
