# A real SSH server as a hop: alone, first, in the middle and last, by -W of the ssh program; and what it says when it does not work.

sshhop_suite() {
    local port=$web_port hop url from
    if [ -z "$sshd_port" ] || [ -z "$web_port" ] || ! have curl; then skip "ssh:// hops" "OpenSSH, nginx or curl is not installed"; return; fi
    # the user's own ssh, which would not know this server
    printf '#!/bin/sh\nexec ssh -F %s "$@"\n' "$work/ssh/config" >"$work/ssh/ssh"
    chmod +x "$work/ssh/ssh"
    export PROXYSHELL_SSH=$work/ssh/ssh
    hop=ssh://127.0.0.1:$sshd_port
    head -c 20000000 /dev/urandom >"$work/www/ssh"
    json sshhops '{ "accessListeners": [
        { "name": "alone", "destination": "127.0.0.1:'"$port"'", "chain": [ "'"$hop"'" ] },
        { "name": "first", "destination": "127.0.0.1:'"$port"'", "chain": [ "'"$hop"'", "'"$p1"'" ] },
        { "name": "between", "destination": "127.0.0.1:'"$port"'", "chain": [ "'"$p1"'", "'"$hop"'", "'"$p3"'" ] },
        { "name": "last", "destination": "localhost:'"$port"'", "chain": [ "'"$p1"'", "'"$hop"'" ] },
        { "name": "twice", "destination": "127.0.0.1:'"$port"'", "chain": [ "'"$hop"'", "'"$hop"'" ] } ] }'
    start_host sshhops || { fail "access listeners through ssh start" "$work/sshhops.log"; return; }
    for from in alone first between last twice; do
        url=http://127.0.0.1:$(port_of sshhops $from)/ssh
        check "curl downloads 20 MB, an ssh:// hop $from" download_ssh "$url"
    done
    check "eight at a time through ssh" downloads_ssh "http://127.0.0.1:$(port_of sshhops alone)/ssh"
    check "test tells of an ssh:// hop" limited "$proxyshell" test --chain "$p1" "$hop" "127.0.0.1:$port"
    ssh_faults "$hop"
    end_server "$host_pid"
    check "no ssh is left behind" until_true no_ssh_left
    unset PROXYSHELL_SSH
}

download_ssh() { fetch -o "$work/ssh.got" "$1" && same "$work/ssh.got" "$work/www/ssh"; }

downloads_ssh() {
    local i jobs=()
    for i in $(seq 8); do fetch -o "$work/part$i" "$1" & jobs+=("$!"); done
    for i in "${jobs[@]}"; do wait "$i" || return 1; done
    for i in $(seq 8); do same "$work/part$i" "$work/www/ssh" || return 1; done
}

# the key file of this suite is in no other command line
no_ssh_left() { ! grep -lqzF -- "-W" $(grep -lzF -- "$work/ssh/config" /proc/[0-9]*/cmdline 2>/dev/null) /dev/null 2>/dev/null; }

ssh_faults() {
    local hop=$1 dead
    dead=$(free_port)
    check "a destination that refuses is told by the ssh:// hop" says 1 "destination 127.0.0.1:$dead: connection refused, told by hop 1 (${hop#ssh://})" \
        "$proxyshell" connect --chain "$hop" "127.0.0.1:$dead"
    check "an ssh:// hop that does not listen is named" says 1 "hop 2 (127.0.0.1:$dead): connection refused" "$proxyshell" connect --chain "$p1" "ssh://127.0.0.1:$dead" h:1
    check "a user whom the ssh:// hop does not let in" says 1 "Permission denied" "$proxyshell" connect --chain "ssh://nobody@${hop#ssh://}" h:1
    sed 's/ssh-ed25519 [^ ]*/ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/' "$work/ssh/known" >"$work/ssh/other"
    printf '#!/bin/sh\nexec ssh -o UserKnownHostsFile=%s -o StrictHostKeyChecking=yes -F %s "$@"\n' "$work/ssh/other" "$work/ssh/config" >"$work/ssh/strict"
    chmod +x "$work/ssh/strict"
    PROXYSHELL_SSH=$work/ssh/strict check "another host key than the known one is refused" says 1 "Host key verification failed" "$proxyshell" connect --chain "$hop" h:1
}

sshhop_suite
