#!/usr/bin/env bash
# Real clients against real listeners: curl and nginx, OpenSSH, nc and socat, and the Host as its users meet it.
# usage: run.sh [path of proxyshell]. A missing peer is a printed, counted skip; the last line sums up.
set -u
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
proxyshell=$(realpath "${1:-$here/../../out/host/proxyshell}")
[ -x "$proxyshell" ] || { echo "there is no Host at $proxyshell: run ./build.sh package first" >&2; exit 1; }

. "$here/lib.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/proxyshell-interop.XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT TERM

. "$here/house.sh"
. "$here/host.sh"
. "$here/curl.sh"
. "$here/halfclose.sh"
. "$here/tls.sh"
. "$here/ssh.sh"

clean_up
trap - EXIT
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
