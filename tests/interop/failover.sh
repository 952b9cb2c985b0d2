# Two relays side by side, in processes of their own: the one in use is stopped, and killed, while curl asks on and on.

failover_suite() {
    if ! have curl || [ -z "$web_port" ]; then skip failover "curl or nginx is not installed"; return; fi
    one_port=$(free_port) two_port=$(free_port)
    start_relay one "$one_port" && start_relay two "$two_port" || { fail "two relays start"; return; }
    local pair="[ \"relay://env:PX_KEY@127.0.0.1:$one_port\", \"relay://env:PX_KEY@127.0.0.1:$two_port\" ]"
    json failover '{ "accessListeners": [
        { "name": "fixed", "connectTimeout": 5, "destination": "127.0.0.1:'"$web_port"'", "chain": [ '"$pair"' ] },
        { "name": "mixed", "connectTimeout": 5, "chain": [ "'"$p1"'", '"$pair"' ] } ] }'
    start_host failover || { fail "listeners in front of two relays start" "$work/failover.log"; return; }
    failover_pid=$host_pid fixed="http://127.0.0.1:$(port_of failover fixed)/client" mixed=127.0.0.1:$(port_of failover mixed)
    check "the relay in use is stopped under load, and no client notices" active_goes TERM
    check "the log tells that it is down" grep -qF "relay://127.0.0.1:$one_port at place 1 is down: " "$work/failover.log"
    check "the other one was taken" grep -qF "to 127.0.0.1:$web_port" "$work/two.log"
    check "started again, it is back in use" active_returns 1
    check "the relay in use is killed under load: whoever connects from then on does not notice" active_goes KILL
    check "started again, it is back in use once more" active_returns 2
    end_server "$failover_pid"
    end_server "$one_pid"
    end_server "$two_pid"
}

# start_relay NAME PORT: a proxyshell run of its own; sets NAME_pid
start_relay() {
    json "$1" '{ "proxyServers": [ { "name": "'"$1"'", "localPort": '"$2"', "keys": [ "env:PX_KEY" ] } ] }'
    start_host "$1" && eval "$1_pid=$host_pid"
}

# asking FILE CURL_ARGUMENTS: two hundred requests; a line for each: when it began, and curl's status, or 0
asking() {
    local file=$1 began i
    shift
    for ((i = 0; i < 200; i++)); do
        began=${EPOCHREALTIME/[.,]/}
        proxied --max-time 5 -o /dev/null "$@" 2>>"$work/asking.err"
        echo "$began $?"
    done >"$file"
}

asked() { [ "$(cat "$work"/asked* 2>/dev/null | wc -l)" -ge "$1" ]; }

# active_goes SIGNAL: four loops of requests, two of them over SOCKS5 and HTTP through a hop before; relay one goes in the middle of it
active_goes() {
    local jobs=() gone failures late
    rm -f "$work"/asked*
    asking "$work/asked1" "$fixed" & jobs+=("$!")
    asking "$work/asked2" "$fixed" & jobs+=("$!")
    asking "$work/asked3" --socks5-hostname "$mixed" "http://localhost:$web_port/client" & jobs+=("$!")
    asking "$work/asked4" -x "http://$mixed" "http://localhost:$web_port/client" & jobs+=("$!")
    until_true asked 100 || return 1
    kill "-$1" "$one_pid"
    ended "$one_pid" || return 1
    gone=${EPOCHREALTIME/[.,]/}
    wait "$one_pid" 2>/dev/null
    wait "${jobs[@]}"
    asked 800 || { echo "not all have asked"; return 1; }
    failures=$(cat "$work"/asked[1-4] | grep -vc ' 0$')
    late=$(cat "$work"/asked[1-4] | awk -v gone="$gone" '$2 != 0 && $1 > gone' | wc -l)
    echo "$failures failures, $late of requests begun after the end"
    sort "$work/asking.err" | uniq -c
    # a relay that is killed takes the connections with it that are open through it, at most one of each loop
    if [ "$1" = KILL ]; then [ "$late" -eq 0 ] && [ "$failures" -le 4 ]; else [ "$failures" -eq 0 ]; fi
}

times_up() { [ "$(grep -cF "relay://127.0.0.1:$one_port at place 1 is up again" "$work/failover.log")" -ge "$1" ]; }

uses_one() { fetch -o /dev/null "$fixed" && grep -qF "to 127.0.0.1:$web_port" "$work/one.log"; }

# active_returns TIMES: started again, a probe finds it, and connections take it
active_returns() {
    start_relay one "$one_port" || return 1
    # it was down for half a minute at most between two probes
    until_true times_up "$1" || until_true times_up "$1" || { grep "is up again" "$work/failover.log"; return 1; }
    until_true uses_one
}

failover_suite
