# SPDX-License-Identifier: Apache-2.0
"""What a build of an image needs of logic to make the environment of the element heat-config-venv.

``gather`` runs on the host in *extra-data.d*, ``install`` in the image in *install.d*; the programs
``gather-wheels`` and ``make-environments`` start them. Both run on whichever Python is there, 3.9
or newer, with the standard library alone. Nothing of this stays in the image: what an element has
in ``bin`` would.
"""
