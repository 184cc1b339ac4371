#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An example of a hook: the config is a map of texts by user; each user's is written to the
# file /etc/motd.d/USER, or to the folder that the option "folder" names.
set -euf

answer() {  # status, message
    jq -n --argjson status "$1" --arg said "$2" --arg count "${count:-0}" \
        '{deploy_stdout: "", deploy_stderr: $said, deploy_status_code: $status, count: $count}'
    exit 0
}

item=$(mktemp)
trap 'rm -f "$item"' EXIT
cat > "$item"

command -v jq > /dev/null || {
    echo '{"deploy_stderr": "jq is not on this server: install it", "deploy_status_code": 127}'
    exit 0
}
jq -e '.config | type == "object"' "$item" > /dev/null || answer 1 "the config is not a map"
folder=$(jq -r '.options.folder // "/etc/motd.d"' "$item")
action=$(jq -r '.inputs[]? | select(.name == "deploy_action").value' "$item")
mkdir -p "$folder" || answer 1 "cannot make the folder $folder"

count=0
for user in $(jq -r '.config | keys[]' "$item"); do
    case "$user" in */* | .*) answer 1 "'$user' is no name of a user" ;; esac
    echo "$action $folder/$user" >&2
    if [ "$action" = DELETE ]; then
        rm -f "$folder/$user"
    else
        jq -r --arg user "$user" '.config[$user]' "$item" > "$folder/$user"
    fi
    count=$((count + 1))
done
answer 0 ""
