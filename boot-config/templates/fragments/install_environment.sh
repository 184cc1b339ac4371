#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# install_environment.sh HOOKS PIP-OPTION...: the agent in an environment of its own.
set -eu

home=/opt/stack/venvs/heat-config
hooks=$1
shift

python3 -m venv "$home"
"$home/bin/pip" --disable-pip-version-check install --quiet "$@" 'heat-config[server]'
for hook in $hooks; do
    set -- --hook "$hook" ${added:+"$@"}
    added=yes
done
"$home/bin/heat-config" install "$@"
