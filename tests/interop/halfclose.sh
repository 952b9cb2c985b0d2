# A client that sends, ends its direction, and then reads: nc -N on one side, socat on the other.

halfclose_suite() {
    local port
    have socat || { skip half-close "socat is not installed"; return; }
    port=$(free_port)
    head -c 10000000 /dev/urandom >"$work/up"
    head -c 100000000 /dev/urandom >"$work/down"
    # answers only after it has read the end
    printf 'sha256sum >%s/up.sum; cat %s/down\n' "$work" "$work" >"$work/answer.sh"
    serve "$work/socat.log" socat -t 60 "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr" "EXEC:sh $work/answer.sh"
    until_true answers "$port" || { fail "socat starts" "$work/socat.log"; return; }
    listener half "127.0.0.1:$port" || { fail "the access listener starts" "$work/half.log"; return; }
    if have nc && nc -h 2>&1 | grep -q -- '-N'; then
        check "nc -N sends, ends, then reads 100 MB through three hops" answered limited nc -N 127.0.0.1 "$listener_port"
    else
        skip "nc -N" "an nc that knows -N is not installed"
    fi
    check "connect sends, ends, then reads 100 MB through three hops" answered limited "$proxyshell" connect --chain "${chain[@]}" "127.0.0.1:$port"
    end_server "$host_pid"
}

answered() {
    rm -f "$work/up.sum"
    "$@" <"$work/up" >"$work/got" || { echo "ended with $?"; return 1; }
    same "$work/got" "$work/down" && [ "$(cut -d' ' -f1 "$work/up.sum")" = "$(checksum "$work/up")" ]
}

halfclose_suite
