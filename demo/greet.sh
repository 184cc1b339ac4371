#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What demo/nova.yaml runs: a greeting, and what the server's user data have brought.
set -eu

echo "$deploy_action of $who on $(. /etc/os-release; echo "$PRETTY_NAME"), kernel $(uname -r)"
printf 'Hello, %s!' "$who" > "$heat_outputs_path.message"
cat /etc/of-its-own > "$heat_outputs_path.user_data"

# The password of Heat's user, as the first configuration has it: nobody else may find it. A server
# with a signed address has none; its address is as secret.
secrets=$(python3 - << 'EOF'
import json
with open("/var/lib/heat-cfntools/cfn-init-data") as file:
    zaqar = json.load(file)["os-collect-config"]["zaqar"]
print(zaqar.get("password") or zaqar["signed_address"])
EOF
)
setpriv --reuid=65534 --regid=65534 --clear-groups \
    grep -rlsF -f - /etc /run /tmp /var/cache /var/lib /var/log <<< "$secrets" \
    > "$heat_outputs_path.readable" || true
