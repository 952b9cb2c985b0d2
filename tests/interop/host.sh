# The Host as its users meet it: exit codes, messages, signals.

dead=$(free_port)
check "connect names the dead hop" says 1 "proxyshell: hop 2 (127.0.0.1:$dead): connection refused" \
    "$proxyshell" connect --chain "$p1" "relay://127.0.0.1:$dead" 127.0.0.1:22
check "connect names the dead destination and who told" says 1 "destination 127.0.0.1:$dead: connection refused, told by hop 3" \
    "$proxyshell" connect --chain "${chain[@]}" "127.0.0.1:$dead"
check "connect without the key is refused by hop 2" says 1 "hop 2 (${p2#relay://}): a key is required" \
    "$proxyshell" connect --chain "$p1" "$p2" 127.0.0.1:22
check "a key in the command line is refused unseen" says 2 "has a key in clear text" "$proxyshell" connect --chain "relay://$PX_KEY@127.0.0.1:$dead" 127.0.0.1:22
check "the key was not repeated" absent "$PX_KEY" "$work/err"
check "test passes a whole chain" limited "$proxyshell" test --chain "${chain[@]}"
# behind the last hop: a destination that surely listens
check "test passes a chain with a payload key" limited "$proxyshell" test --payload-key "file:$work/p3.key" --chain "${chain[@]}" "${p1#relay://}"
check "another payload key is refused by hop 3" says 1 "hop 3 (${p3#relay://}): wrong payload key" \
    "$proxyshell" connect --payload-key env:PX_KEY --chain "${chain[@]}" "${p1#relay://}"
check "a payload key in the command line is refused unseen" says 2 "--payload-key must refer to the key" "$proxyshell" connect --payload-key "$PX_KEY" --chain "${chain[@]}" h:1
check "the payload key was not repeated" absent "$PX_KEY" "$work/err"
check "a payload key without a chain is refused" says 2 "give the --chain" "$proxyshell" connect --payload-key env:PX_KEY h:1
check "test fails at the dead hop" says 1 "hop 2 (127.0.0.1:$dead): connection refused" "$proxyshell" test --chain "$p1" "relay://127.0.0.1:$dead" "$p3"

json misspelt '{ "accessListeners": [ { "destination": "127.0.0.1:80", "localport": 1 } ] }'
check "a misspelt option is named with its place" says 2 '$.accessListeners[0].localport: is not known here; write '"'localPort'" \
    "$proxyshell" run --check --config "$work/misspelt.json"
json cleartext "{ \"proxyServers\": [ { \"keys\": [\"$PX_KEY\"] } ] }"
check "a key in the configuration is refused" says 2 '$.proxyServers[0].keys[0]: must refer to the key' "$proxyshell" run --config "$work/cleartext.json"
json open '{ "proxyServers": [ { "localAddress": "0.0.0.0" } ] }'
check "a proxy open to strangers does not start" says 2 "nothing authenticates them" "$proxyshell" run --config "$work/open.json"
json busy "{ \"proxyServers\": [ { \"name\": \"first\" }, { \"name\": \"second\", \"localPort\": ${p1##*:} } ] }"
check "one busy port and nothing starts" says 1 "second cannot start: cannot listen on 127.0.0.1:${p1##*:}: the address is already in use" \
    "$proxyshell" run --config "$work/busy.json"

# stops SIGNAL: a Host with an open connection ends with 0 within its grace time
stops() {
    local pid
    json stopping "{ \"accessListeners\": [ { \"name\": \"stopping\", \"destination\": \"${p1#relay://}\", \"stopTimeout\": 1 } ] }"
    start_host stopping || return 1
    pid=$host_pid
    exec 4<>"/dev/tcp/127.0.0.1/$(port_of stopping stopping)"
    kill -HUP "$pid"
    until_true grep -q "SIGHUP: reading the configuration again is not supported" "$work/stopping.log" || return 1
    kill "-$1" "$pid"
    ended "$pid" || { echo "still running 20 s after SIG$1"; end_server "$pid"; }
    wait "$pid"
    local status=$?
    exec 4>&-
    cat "$work/stopping.log"
    [ "$status" -eq 0 ] && grep -q "stopped listening" "$work/stopping.log"
}

check "SIGTERM stops it in order, SIGHUP does not" stops TERM
check "Ctrl+C stops it in order" stops INT
