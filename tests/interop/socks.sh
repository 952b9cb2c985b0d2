# SOCKS from both sides: the npm package socks as a client of all three commands, and foreign SOCKS servers as hops.

socks_suite() {
    local open guarded chained echo_port
    if [ -z "$web_port" ]; then skip "SOCKS" "nginx is not installed"; return; fi
    start_peer microsocks; start_peer danted; start_peer ssh_socks; start_peer tinyproxy
    head -c 20000000 /dev/urandom >"$work/www/mixed"
    json socks '{ "proxyServers": [
        { "name": "open", "protocols": [ "socks5" ] },
        { "name": "guarded", "credentials": [ "env:PX_LOGIN" ] },
        { "name": "mixed", "protocols": [ "socks5" ], "chain": [ "socks5://env:PX_LOGIN@127.0.0.1:'"${microsocks_port:-1}"'", "http://127.0.0.1:'"${tinyproxy_port:-1}"'", "'"$p3"'" ] },
        { "name": "chained", "protocols": [ "socks5" ], "chain": [ "'"$p1"'", { "uri": "'"$p2"'", "key": "env:PX_KEY" }, "'"$p3"'" ] } ] }'
    start_host socks || { fail "the SOCKS servers start" "$work/socks.log"; return; }
    open=127.0.0.1:$(port_of socks open) guarded=127.0.0.1:$(port_of socks guarded) chained=127.0.0.1:$(port_of socks chained)
    if have_npm; then
        echo_port=$(free_port)
        serve "$work/echo.log" node "$work/npm/echo.mjs" "$echo_port"
        until_true grep -q echo "$work/echo.log"
        check "npm socks: CONNECT, version 5" prints_sum npm_script socks connect "socks5://$open" "127.0.0.1:$web_port" /mixed
        check "npm socks: CONNECT, version 4" prints_sum npm_script socks connect "socks4://$open" "127.0.0.1:$web_port" /mixed
        check "npm socks: CONNECT with a user" prints_sum npm_script socks connect "socks5://$PX_LOGIN@$guarded" "localhost:$web_port" /mixed
        check "npm socks: BIND" prints "from inside" npm_script socks bind "socks5://$open" 127.0.0.1:0
        check "npm socks: BIND with a user" prints "from inside" npm_script socks bind "socks5://$PX_LOGIN@$guarded" 127.0.0.1:0
        check "npm socks: ASSOCIATE" prints "five datagrams" npm_script socks associate "socks5://$open" "127.0.0.1:$echo_port"
        check "npm socks: ASSOCIATE with a user" prints "five datagrams" npm_script socks associate "socks5://$PX_LOGIN@$guarded" "127.0.0.1:$echo_port"
        check "npm socks: ASSOCIATE through three relays" prints "five datagrams" npm_script socks associate "socks5://$chained" "127.0.0.1:$echo_port"
        if [ -n "$microsocks_port" ] && [ -n "$tinyproxy_port" ]; then
            check "npm socks: ASSOCIATE through microsocks, tinyproxy and a relay" prints "five datagrams" npm_script socks associate "socks5://127.0.0.1:$(port_of socks mixed)" "127.0.0.1:$echo_port"
        else
            skip "npm socks: ASSOCIATE through a mixed chain" "microsocks or tinyproxy is not installed"
        fi
    else
        skip "npm socks: CONNECT, BIND and ASSOCIATE" "$why"
    fi
    end_server "$host_pid"
    socks_hop microsocks "$microsocks_port" socks5://env:PX_LOGIN@
    socks_hop danted "$danted_port" socks5://
    socks_hop "ssh -D" "$ssh_socks_port" socks5://
}

# socks_hop NAME PORT SCHEME: curl through this server as the first hop, in the middle, and last
socks_hop() {
    local name=$1 hop=$3127.0.0.1:$2 order url told
    [ -n "$2" ] || return
    json hop '{ "accessListeners": [
        { "name": "first", "destination": "127.0.0.1:'"$web_port"'", "chain": [ "'"$hop"'", "'"$p1"'" ] },
        { "name": "between", "destination": "localhost:'"$web_port"'", "chain": [ "'"$p1"'", "'"$hop"'", "'"$p3"'" ] },
        { "name": "last", "destination": "localhost:'"$web_port"'", "chain": [ "'"$p1"'", "'"$hop"'" ] },
        { "name": "twice", "destination": "127.0.0.1:'"$web_port"'", "chain": [ "'"$hop"'", "'"$hop"'" ] } ] }'
    start_host hop || { fail "access listeners through $name start" "$work/hop.log"; return; }
    for order in first between last twice; do
        # danted knows its own address and does not connect to it
        [ "$name $order" != "danted twice" ] || continue
        url=http://127.0.0.1:$(port_of hop $order)/mixed
        check "curl downloads 20 MB, $name as a hop $order" mixed_fetch "$url"
    done
    check "test tells of $name" limited "$proxyshell" test --chain "$p1" "$hop" "127.0.0.1:$web_port"
    # ssh has no reply for that
    told="destination 127.0.0.1:1: connection refused, told by hop 2 (127.0.0.1:$2)"
    [ "$name" != "ssh -D" ] || told="hop 2 (127.0.0.1:$2): closed the connection without an answer"
    check "a destination that refuses is told by $name" says 1 "$told" "$proxyshell" connect --chain "$p1" "$hop" 127.0.0.1:1
    [ "$name" != microsocks ] || check "$name refuses a stranger" says 1 "hop 1 (127.0.0.1:$2):" "$proxyshell" connect --chain "socks5://127.0.0.1:$2" 127.0.0.1:1
    end_server "$host_pid"
}

socks_suite
