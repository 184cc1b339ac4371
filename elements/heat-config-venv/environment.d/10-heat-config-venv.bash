# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# The one virtual environment that holds the agent and what it stands on.
export DIB_HEAT_CONFIG_VENV=${DIB_HEAT_CONFIG_VENV:-/opt/stack/venvs/heat-config}

# Where its programs are in the image: /usr/local/bin, or /usr/bin for a package.
export DIB_HEAT_CONFIG_PROGRAMS=${DIB_HEAT_CONFIG_PROGRAMS:-/usr/local/bin}

# The image's Python as MAJOR.MINOR, where it cannot be found out from the image.
export DIB_HEAT_CONFIG_PYTHON=${DIB_HEAT_CONFIG_PYTHON:-}
