# OpenSSH over an access listener and over ProxyCommand: commands, a terminal, files both ways.

ssh_suite() {
    local port=$sshd_port
    if [ -z "$sshd_port" ] || ! have scp; then skip ssh "OpenSSH (client and server) is not installed"; return; fi
    listener ssh "127.0.0.1:$port" || { fail "the access listener starts" "$work/ssh.log"; return; }
    cat >>"$work/ssh/config" <<CONF
Host listener
    HostName 127.0.0.1
    Port $listener_port
Host command
    HostName 127.0.0.1
    Port $port
    ProxyCommand $proxyshell connect --chain ${chain[*]} -- %h:%p
CONF
    head -c 50000000 /dev/urandom >"$work/scp"
    for way in listener command; do
        check "ssh over $way: a command's output and status" remote_command $way
        check "ssh over $way: standard input, 50 MB" remote_input $way
        check "ssh over $way: an interactive terminal" remote_terminal $way
        check "scp over $way: 50 MB there and back, checksum equal" remote_copy $way
    done
    end_server "$host_pid"
}

remote_command() {
    [ "$(secure ssh "$1" 'echo hello; exit 7' </dev/null; echo "$?")" = $'hello\n7' ]
}

remote_input() { [ "$(secure ssh "$1" sha256sum <"$work/scp" | cut -d' ' -f1)" = "$(checksum "$work/scp")" ]; }

# a terminal of its own, a shell that reads typed lines, and the shell's status at the end
remote_terminal() {
    printf 'tty\nexit 5\n' | secure ssh -tt "$1" sh >"$work/terminal"
    local status=$?
    cat "$work/terminal"
    [ "$status" -eq 5 ] && grep -q '/dev/pts/' "$work/terminal"
}

remote_copy() {
    secure scp -q "$work/scp" "$1:$work/there" && secure scp -q "$1:$work/there" "$work/back" && same "$work/scp" "$work/there" && same "$work/scp" "$work/back"
}

ssh_suite
