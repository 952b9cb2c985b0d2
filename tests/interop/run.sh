#!/usr/bin/env bash
# Real clients against real listeners, and foreign proxies on both sides of ours; and the Host as its users meet it.
# usage: run.sh [path of proxyshell [suite...]]. A missing peer is a printed, counted skip; the last line sums up.
set -u
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
proxyshell=$(realpath "${1:-$here/../../out/host/proxyshell}")
[ -x "$proxyshell" ] || { echo "there is no Host at $proxyshell: run ./build.sh package first" >&2; exit 1; }

npm_modules=$(realpath -m "$here/../../out/npm/node_modules")

. "$here/lib.sh"
. "$here/peers.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/proxyshell-interop.XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT TERM

. "$here/house.sh"
. "$here/tunnelhouse.sh"
start_peer web
start_peer sshd
[ $# -gt 1 ] || set -- "" host curl halfclose tls ssh sshhop socks udp statuses forward websocket proxyprotocol sessions warm mixed failover tunnels tunnelports browser pipes stripes
shift
for suite; do . "$here/$suite.sh"; done

clean_up
trap - EXIT
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
