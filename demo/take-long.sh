#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What demo/nova.yaml runs while the server is rebooted: the first run never comes to its end.
set -eu

runs=/var/lib/runs-of-take-long
echo run >> "$runs"
sync "$runs"
if [ "$(wc -l < "$runs")" = 1 ]; then
    echo "the first run waits for the reboot"
    sleep infinity
fi
echo "run $(wc -l < "$runs") has come to its end"
