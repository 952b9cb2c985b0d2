# DNS over UDP: dig asks dnsmasq through listeners for datagrams, alone and through relays.

udp_suite() {
    local way port
    have dig || { skip "dig" "it is not installed"; return; }
    start_peer dnsmasq
    [ -n "$dnsmasq_port" ] || return
    start_peer microsocks; start_peer tinyproxy
    local mixed='"chain": [ "relay://127.0.0.1:1" ]' ways=(direct three-relays)
    if [ -n "$microsocks_port" ] && [ -n "$tinyproxy_port" ]; then
        mixed='"chain": [ "socks5://env:PX_LOGIN@127.0.0.1:'"$microsocks_port"'", "http://127.0.0.1:'"$tinyproxy_port"'", "'"$p3"'" ]' ways+=(mixed)
    fi
    json udp '{ "accessListeners": [
        { "name": "direct", "udp": true, "destination": "127.0.0.1:'"$dnsmasq_port"'" },
        { "name": "three-relays", "udp": true, "destination": "localhost:'"$dnsmasq_port"'", "chain": [ "'"$p1"'", { "uri": "'"$p2"'", "key": "env:PX_KEY" }, "'"$p3"'" ] },
        { "name": "mixed", "udp": true, "udpIdleTimeout": 5, "destination": "127.0.0.1:'"$dnsmasq_port"'", '"$mixed"' },
        { "name": "http-last", "udp": true, "destination": "127.0.0.1:'"$dnsmasq_port"'", "chain": [ "'"$p1"'", "http://127.0.0.1:1" ] },
        { "name": "tcp", "destination": "127.0.0.1:'"$dnsmasq_port"'", "chain": [ "'"$p1"'" ] } ] }'
    start_host udp || { fail "listeners for datagrams start" "$work/udp.log"; return; }
    for way in "${ways[@]}"; do
        port=$(port_of udp $way)
        check "dig over UDP, $way" dig_answers "$port"
        check "dig over UDP, $way, an answer of 1,600 bytes" dig_long "$port" +notcp
        check "four hundred questions, $way" dig_many "$port"
    done
    check "a last hop without datagrams is told in words" no_datagrams "$(port_of udp http-last)"
    check "dig over TCP through a hop" dig_long "$(port_of udp tcp)" +tcp
    end_server "$host_pid"
}

no_datagrams() {
    ask "$1" +notcp +tries=1 +time=1 host.test
    until_true grep -qF "http://127.0.0.1:1" "$work/udp.log" || { cat "$work/udp.log"; return 1; }
}

udp_suite
