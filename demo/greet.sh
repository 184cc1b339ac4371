#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What demo/nova.yaml runs: a greeting, and what the server's user data have brought.
#
# Its inputs are variables of its environment.
# shellcheck disable=SC2154
set -eu

echo "$deploy_action of $who on kernel $(uname -r)"
printf 'Hello, %s!' "$who" > "$heat_outputs_path.message"
own=$(cat /etc/of-its-own)
printf %s "$own" > "$heat_outputs_path.user_data"

# What opens the server's queue to it, as its first configuration has it: the password of Heat's user, or
# a signed address, which is as secret.
opens=$(python3 - << 'EOF'
import json
with open("/var/lib/heat-cfntools/cfn-init-data") as file:
    zaqar = json.load(file)["os-collect-config"]["zaqar"]
kind = "password" if zaqar.get("password") else "signed_address"
print(kind, zaqar[kind])
EOF
)
printf %s "${opens%% *}" > "$heat_outputs_path.credential"

# Nobody may find it; what is for everybody is found, which shows that the search is one.
printf '%s\n' "${opens#* }" "$own" |
    setpriv --reuid=65534 --regid=65534 --clear-groups \
        grep -rlsF -f - /etc /run /tmp /var/cache /var/lib /var/log > "$heat_outputs_path.readable" || true
