# Three relays in processes of their own, reached by channels of warm sessions over TLS; curl is the client, and the one in the middle is killed.

warm_suite() {
    local peer
    for peer in openssl curl; do
        have $peer || { skip warm "$peer is not installed"; return; }
    done
    [ -n "$web_port" ] || { skip warm "nginx is not installed"; return; }
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=warm.test -keyout "$work/warm.key" -out "$work/warm.crt" 2>/dev/null &&
        cat "$work/warm.crt" "$work/warm.key" >"$work/warm.pem" || { fail "openssl makes a certificate"; return; }
    head -c 20000000 /dev/urandom >"$work/www/warm"
    warm_pin=$(openssl x509 -in "$work/warm.crt" -noout -fingerprint -sha256 | cut -d= -f2 | tr -d :)
    w1_port=$(free_port) w2_port=$(free_port) w3_port=$(free_port)
    start_warm w1 "$w1_port" && start_warm w2 "$w2_port" && start_warm w3 "$w3_port" || { fail "three relays with TLS start"; return; }
    local chain=() port
    for port in "$w1_port" "$w2_port" "$w3_port"; do chain+=("relays+mux://env:PX_KEY@127.0.0.1:$port?thumbprint=$warm_pin"); done
    json warm '{ "accessListeners": [ { "name": "warm", "destination": "127.0.0.1:'"$web_port"'", "chain": [
        "'"${chain[0]}"'", { "uri": "'"${chain[1]}"'", "sessions": { "keepAlive": 5 } }, "'"${chain[2]}"'" ] } ] }'
    start_host warm || { fail "a listener in front of them starts" "$work/warm.log"; return; }
    warm_pid=$host_pid warm="http://127.0.0.1:$(port_of warm warm)"

    check "proxyshell test begins sessions to all hops" tells_sessions "New New New" "${chain[@]}"
    check "a second test finds those of the hops to each other" tells_sessions "New Kept Kept" "${chain[@]}"
    check "curl asks 30 times over one session" asks_often
    check "the listener has begun it once, and the hops theirs" begun_once
    check "the middle hop is killed: the download under way fails" middle_goes
    check "the log names the hop that was lost" until_true grep -q "warm: hop 2 (127.0.0.1:$w2_port): " "$work/warm.log"
    check "the hop before it tells that its session was lost" until_true grep -q "warning w1: session to 127.0.0.1:$w2_port lost with 1 channel: " "$work/w1.log"
    check "while it is gone, curl gets no answer" fails fetch -o /dev/null "$warm/client"
    check "the log says why" until_true grep -qF "warm: hop 2 (127.0.0.1:$w2_port): connection refused" "$work/warm.log"
    check "started again, it serves the next request" middle_returns
    local name
    for name in warm_pid w1_pid w2_pid w3_pid; do end_server "${!name}"; done
}

# start_warm NAME PORT: a relay with TLS and a key; sets NAME_pid
start_warm() {
    json "$1" '{ "proxyServers": [ { "name": "'"$1"'", "localPort": '"$2"', "certificate": "warm.pem", "keys": [ "env:PX_KEY" ] } ] }'
    start_host "$1" && eval "$1_pid=$host_pid"
}

# tells_sessions WORDS CHAIN...: what the column says of the hops
tells_sessions() {
    local expected=$1
    shift
    limited "$proxyshell" test --chain "$@" >"$work/warm.test" || { cat "$work/warm.test"; return 1; }
    cat "$work/warm.test"
    [ "$(grep -oE '\b(New|Kept)\b' "$work/warm.test" | paste -sd' ')" = "$expected" ]
}

asks_often() {
    local i
    for i in $(seq 30); do fetch -o "$work/warm.got" "$warm/warm" && same "$work/warm.got" "$work/www/warm" || return 1; done
}

begun_once() {
    grep -h 'session to' "$work/warm.log" "$work/w1.log" "$work/w2.log"
    [ "$(grep -c "info warm: session to hop 1 (127.0.0.1:$w1_port) begun" "$work/warm.log")" -eq 1 ] &&
        [ "$(grep -c "info w1: session to 127.0.0.1:$w2_port begun" "$work/w1.log")" -eq 1 ] &&
        [ "$(grep -c "info w2: session to 127.0.0.1:$w3_port begun" "$work/w2.log")" -eq 1 ]
}

# the download is held up by its reader, so that it is under way when the hop goes
middle_goes() {
    local download
    rm -f "$work/warm.got"
    fetch --limit-rate 200k -o "$work/warm.got" "$warm/warm" &
    download=$!
    until_true [ -s "$work/warm.got" ] || return 1
    kill -9 "$w2_pid"
    ended "$w2_pid" || return 1
    wait "$w2_pid" 2>/dev/null
    wait "$download"
    [ $? -ne 0 ] && [ "$(stat -c %s "$work/warm.got")" -lt "$(stat -c %s "$work/www/warm")" ]
}

middle_returns() {
    start_warm w2 "$w2_port" || return 1
    fetch -o "$work/warm.got" "$warm/warm" && same "$work/warm.got" "$work/www/warm"
}

warm_suite
