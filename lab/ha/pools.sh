# shellcheck shell=sh
# Tell Zaqar of its pools: once, as the cloud's administrator, with admin_mode = true and
# pooling = true in zaqar.conf. Without a flavor: Heat asks for none when it posts to a queue.
uri() {
    echo "redis://:$REDIS_PASSWORD@$SENTINELS?master=$1&socket_timeout=5"
}
openstack messaging pool create one "$(uri one)" 100
openstack messaging pool create two "$(uri two)" 100
