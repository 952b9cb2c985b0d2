# What clients are told when it does not work: the reply code of SOCKS5 (RFC 1928 §6) and the status of HTTP, as curl sees them.

statuses_suite() {
    local silent dead
    if ! have curl || ! have socat; then skip "replies and statuses" "curl or socat is not installed"; return; fi
    silent=$(free_port) dead=$(free_port)
    # listens and never says a word: for a SOCKS5 hop, a time-out
    serve "$work/silent.log" socat "TCP-LISTEN:$silent,bind=127.0.0.1,fork,reuseaddr" EXEC:"sleep 600"
    until_true answers "$silent"
    json statuses '{ "proxyServers": [
        { "name": "plain", "denyDestination": [ "forbidden.example", "*:25" ] },
        { "name": "guarded", "credentials": [ "env:PX_LOGIN" ] },
        { "name": "slow", "connectTimeout": 0.5, "chain": [ "socks5://127.0.0.1:'"$silent"'" ] },
        { "name": "broken", "chain": [ "'"$p1"'", "relay://127.0.0.1:'"$dead"'" ] },
        { "name": "ruled", "rules": [ { "destination": [ "127.0.0.1" ], "port": [ '"$dead"' ], "direct": true } ], "blockByDefault": true } ] }'
    start_host statuses || { fail "the proxy servers start" "$work/statuses.log"; return; }
    plain=127.0.0.1:$(port_of statuses plain) guarded=127.0.0.1:$(port_of statuses guarded) slow=127.0.0.1:$(port_of statuses slow)
    broken=127.0.0.1:$(port_of statuses broken) ruled=127.0.0.1:$(port_of statuses ruled)
    socks_replies "$dead"
    http_statuses "$dead"
    end_server "$host_pid"
}

# socks_reply CODE PROXY URL [CURL_ARGUMENTS]: curl says "Can't complete SOCKS5 connection to HOST. (CODE)"
socks_reply() {
    local code=$1 proxy=$2 url=$3 seen
    seen=$(proxied "${@:4}" --socks5-hostname "$proxy" -o /dev/null "$url" 2>&1)
    echo "$seen"
    [[ $seen == *"SOCKS5 connection to"*"($code)"* ]]
}

socks_replies() {
    local dead=$1
    check "SOCKS5 05: the destination refuses" socks_reply 5 "$plain" "http://127.0.0.1:$dead/"
    check "SOCKS5 03: its network is unreachable" socks_reply 3 "$plain" http://224.0.0.1/
    check "SOCKS5 04: its name is not known" socks_reply 4 "$plain" http://no-such-host.invalid/
    check "SOCKS5 06: no answer in time" socks_reply 6 "$slow" "http://127.0.0.1:$dead/"
    check "SOCKS5 02: forbidden" socks_reply 2 "$plain" http://forbidden.example/
    check "SOCKS5 02: blocked by the rules" socks_reply 2 "$ruled" http://127.0.0.1:1/
    check "SOCKS5 05: a rule lets it through" socks_reply 5 "$ruled" "http://127.0.0.1:$dead/"
    check "SOCKS5 05: a hop refuses" socks_reply 5 "$broken" http://127.0.0.1:1/
    check "SOCKS5: bad credentials" refused_user --socks5 "$guarded" --proxy-user "${PX_LOGIN%%:*}:wrong"
    check "SOCKS5: no credentials" no_method --socks5 "$guarded"
    check "SOCKS5 07: a command that is none" answers_bytes "${plain#*:}" '\x05\x01\x00\x05\x09\x00\x01\x7f\x00\x00\x01\x00\x50' 0500050700
    check "SOCKS5 08: an address type that is none" answers_bytes "${plain#*:}" '\x05\x01\x00\x05\x01\x00\x09\x7f\x00\x00\x01\x00\x50' 0500050800
    check "SOCKS5: no method in common" answers_bytes "${guarded#*:}" '\x05\x01\x00' 05ff
    check "SOCKS4 91: refused" answers_bytes "${plain#*:}" "\\x04\\x01$(printf '\\x%02x\\x%02x' $((dead / 256)) $((dead % 256)))\\x7f\\x00\\x00\\x01\\x00" 005b
}

refused_user() {
    local seen
    seen=$(proxied "$@" -o /dev/null http://127.0.0.1:1/ 2>&1)
    echo "$seen"
    [[ $seen == *"User was rejected by the SOCKS5 server"* ]]
}

no_method() {
    local seen
    seen=$(proxied "$@" -o /dev/null http://127.0.0.1:1/ 2>&1)
    echo "$seen"
    [[ $seen == *"(97)"* ]]
}

# answers_bytes PORT FORMAT HEX: the answer begins with these bytes, and then the connection is closed
answers_bytes() {
    local seen status
    seen=$(talk "$1" "$2" | od -An -v -tx1 | tr -d ' \n'; exit "${PIPESTATUS[0]}")
    status=$?
    echo "$seen (status $status)"
    [ "$status" -eq 0 ] && [[ $seen == "$3"* ]]
}

# http_status STATUS WORDS CURL_ARGUMENTS: the status, and a body of one line that holds the words
http_status() {
    local status=$1 words=$2 seen
    shift 2
    rm -f "$work/body"
    seen=$(limited env -u no_proxy -u NO_PROXY curl -sS --noproxy '' --max-time 60 -o "$work/body" -w '%{http_code} %{http_connect}' "$@" 2>"$work/curl.err")
    echo "$seen"; cat "$work/curl.err" "$work/body" 2>/dev/null
    [[ $seen == "$status "* || $seen == *" $status" ]] || return 1
    # what comes instead of a tunnel curl does not show
    [[ $seen == *" $status" ]] || { [ "$(wc -l <"$work/body")" -le 1 ] && grep -qF -- "$words" "$work/body"; }
}

http_statuses() {
    local dead=$1 way
    for way in "" --proxytunnel; do
        check "HTTP 502${way:+ to CONNECT}: the destination refuses" http_status 502 "connection refused" $way -x "http://$plain" "http://127.0.0.1:$dead/"
        check "HTTP 502${way:+ to CONNECT}: its name is not known" http_status 502 "not found" $way -x "http://$plain" http://no-such-host.invalid/
        check "HTTP 502${way:+ to CONNECT}: its network is unreachable" http_status 502 "unreachable" $way -x "http://$plain" http://224.0.0.1/
        check "HTTP 504${way:+ to CONNECT}: no answer in time" http_status 504 "in time" $way -x "http://$slow" "http://127.0.0.1:$dead/"
        check "HTTP 403${way:+ to CONNECT}: forbidden" http_status 403 "forbidden.example" $way -x "http://$plain" http://forbidden.example/
        check "HTTP 403${way:+ to CONNECT}: blocked by the rules" http_status 403 "forbidden" $way -x "http://$ruled" http://127.0.0.1:1/
        check "HTTP 502${way:+ to CONNECT}: a dead hop" http_status 502 "hop 2 (127.0.0.1:$dead)" $way -x "http://$broken" http://127.0.0.1:1/
        check "HTTP 407${way:+ to CONNECT}: no credentials" http_status 407 "" $way -x "http://$guarded" http://127.0.0.1:1/
        check "HTTP 407${way:+ to CONNECT}: bad credentials" http_status 407 "" $way -x "http://$guarded" --proxy-user alice:wrong http://127.0.0.1:1/
        check "HTTP 431${way:+ to CONNECT}: a header of 300 KB" http_status 431 "" $way -x "http://$plain" --proxy-header "@$(long_header)" --header "@$(long_header)" http://127.0.0.1:1/
    done
    check "HTTP 407 says how to authenticate" asks_for_basic
    check "HTTP 400: a request line that is none" talk_status "${plain#*:}" 400 'GET\r\n\r\n'
    check "HTTP 400: a path without a host" talk_status "${plain#*:}" 400 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
    check "HTTP 400: CONNECT without a port" talk_status "${plain#*:}" 400 'CONNECT example HTTP/1.1\r\nHost: example\r\n\r\n'
}

long_header() {
    [ -f "$work/long-header" ] || printf 'X-Long: %0300000d\n' 0 >"$work/long-header"
    echo "$work/long-header"
}

asks_for_basic() {
    limited curl -sS --noproxy '' -x "http://$guarded" -D - -o /dev/null http://127.0.0.1:1/ | tr -d '\r' | grep -iE '^proxy-authenticate: basic realm='
}

statuses_suite
