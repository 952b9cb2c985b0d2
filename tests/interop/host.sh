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
    kill "-$1" "$pid"
    ended "$pid" || { echo "still running 20 s after SIG$1"; end_server "$pid"; }
    wait "$pid"
    local status=$?
    exec 4>&-
    cat "$work/stopping.log"
    [ "$status" -eq 0 ] && grep -q "stopped listening" "$work/stopping.log"
}

check "SIGTERM stops it in order" stops TERM
check "Ctrl+C stops it in order" stops INT

# hang_up TEXT: a SIGHUP, after which the log of the Host that changes says the text
hang_up() {
    kill -HUP "$changing_pid"
    until_true grep -qF -- "$1" "$work/changing.log" || { tail -n 5 "$work/changing.log"; return 1; }
}

# changing CHAIN [MORE [SERVICES]]: writes the file of that Host
changing() {
    json changing "{ \"accessListeners\": [ { \"name\": \"web\", \"destination\": \"127.0.0.1:$web_port\", \"stopTimeout\": 30, \"chain\": [$1] ${2:-} } ${3:-} ] }"
}

# load COUNT: requests one after another, each over a connection of its own; ends with the number of those that failed
load() {
    local bad=0 i
    for ((i = 0; i < $1; i++)); do fetch -o /dev/null "http://127.0.0.1:$changing_port/client" || bad=$((bad + 1)); done
    echo "$bad" >>"$work/load-failures"
}

chain_swapped_under_load() {
    local pids_of_load=() i pid
    : >"$work/load-failures"
    for i in 1 2 3; do load 60 & pids_of_load+=("$!"); done
    for i in 1 2 3; do
        changing "\"$p1\", \"$p3\"" ", \"maxConnections\": 10$i"
        hang_up "to 10$i" || return 1
        changing "\"$p3\"" ", \"maxConnections\": 20$i"
        hang_up "to 20$i" || return 1
    done
    for pid in "${pids_of_load[@]}"; do wait "$pid"; done
    cat "$work/load-failures"
    [ "$(grep -cx 0 "$work/load-failures")" -eq 3 ]
}

is_deaf() { ! answers "$1"; }

# a download that began before the file changed goes on, though its listener is gone
download_lives_on() {
    changing "\"$p1\"" "" ", { \"name\": \"slow\", \"destination\": \"127.0.0.1:$web_port\", \"stopTimeout\": 60 }"
    hang_up "added slow" || return 1
    fetch --limit-rate 8M -o "$work/slow" "http://127.0.0.1:$(port_of changing slow)/mixed" &
    local download=$!
    until_true [ -s "$work/slow" ] || return 1
    changing "\"$p1\", \"$p3\""
    hang_up "removed slow" || return 1
    until_true is_deaf "$(port_of changing slow)" || { echo "still accepting"; return 1; }
    kill -0 "$download" || { echo "the download ended too soon to tell"; return 1; }
    wait "$download" && same "$work/slow" "$work/www/mixed"
}

bad_file_changes_nothing() {
    local before
    before=$(grep -c "web: changed" "$work/changing.log")
    changing "\"$p1\"" ", \"localport\": 1"
    hang_up "nothing is changed: $work/changing.json: \$.accessListeners[0].localport: is not known here; write 'localPort'." || return 1
    changing "\"$p1\"" "" ", { \"name\": \"busy\", \"localPort\": ${p1##*:} }"
    hang_up "nothing is changed: busy cannot start: cannot listen on 127.0.0.1:${p1##*:}: the address is already in use" || return 1
    mixed_fetch "http://127.0.0.1:$changing_port/mixed" && [ "$(grep -c "web: changed" "$work/changing.log")" -eq "$before" ]
}

restarts_one() {
    changing "\"$p1\", \"$p3\"" ", \"localPort\": $changing_port"
    hang_up "restarted web (A running service cannot change LocalPort from 0 to $changing_port)" || return 1
    mixed_fetch "http://127.0.0.1:$changing_port/mixed"
}

if [ -n "$web_port" ]; then
    [ -s "$work/www/mixed" ] || head -c 20000000 /dev/urandom >"$work/www/mixed"
    changing "\"$p1\""
    if start_host changing; then
        changing_pid=$host_pid changing_port=$(port_of changing web)
        check "a chain is swapped by SIGHUP under load and nobody notices" chain_swapped_under_load
        check "an open download outlives its listener" download_lives_on
        check "a file with an error changes nothing and is told of in a sentence" bad_file_changes_nothing
        check "what cannot change restarts that service, on the same port" restarts_one
        check "SIGHUP with the same file changes nothing" hang_up "was read again: nothing has changed"
        end_server "$changing_pid"
    else
        fail "a Host to be changed starts" "$work/changing.log"
    fi
fi
