# PROXY headers from haproxy and curl, and to nginx and haproxy: the client's address passes all of them.

proxyprotocol_suite() {
    local accepts sends version more=
    if ! have curl || [ -z "$web_port" ]; then skip "the PROXY protocol" "curl or nginx is not installed"; return; fi
    accepts=$(free_port)
    start_peer haproxy "$accepts"
    [ -z "$haproxy_port" ] || more=', { "name": "haproxy-v1", "destination": "127.0.0.1:'"$haproxy_port"'", "sendProxyProtocol": "v1" },
        { "name": "haproxy-v2", "destination": "127.0.0.1:'"$haproxy_port"'", "sendProxyProtocol": "v2" }'
    json proxyprotocol '{ "accessListeners": [
        { "name": "accepts", "localPort": '"$accepts"', "destination": "127.0.0.1:'"$web_port"'", "acceptProxyProtocol": true },
        { "name": "passes", "destination": "127.0.0.1:'"$proxied_web_port"'", "acceptProxyProtocol": true, "sendProxyProtocol": "v2" },
        { "name": "v1", "destination": "127.0.0.1:'"$proxied_web_port"'", "chain": [ "'"$p1"'" ], "sendProxyProtocol": "v1" },
        { "name": "v2", "destination": "127.0.0.1:'"$proxied_web_port"'", "chain": [ "'"$p1"'", "'"$p3"'" ], "sendProxyProtocol": "v2" }
        '"$more"' ] }'
    start_host proxyprotocol || { fail "the listeners start" "$work/proxyprotocol.log"; return; }
    check "curl --haproxy-protocol is understood" fetch --haproxy-protocol -o /dev/null "http://127.0.0.1:$accepts/none"
    check "a client without a header is cut off" cut_off "http://127.0.0.1:$accepts/none"
    check "the header of a client passes to nginx" tells_client 127.0.0.9 --haproxy-protocol --interface 127.0.0.9 "http://127.0.0.1:$(port_of proxyprotocol passes)/"
    for version in v1 v2; do
        check "nginx understands ours, $version, through hops" tells_client 127.0.0.7 --interface 127.0.0.7 "http://127.0.0.1:$(port_of proxyprotocol $version)/"
        [ -n "$haproxy_port" ] || continue
        sends=haproxy_${version}_port
        check "haproxy understands ours, $version" tells_client 127.0.0.7 --interface 127.0.0.7 "http://127.0.0.1:$(port_of proxyprotocol haproxy-$version)/"
        check "haproxy's header, $version, is understood" fetch --interface 127.0.0.8 -o /dev/null "http://127.0.0.1:${!sends}/none"
    done
    if [ -n "$haproxy_port" ]; then
        check "the log names the client behind haproxy" until_true grep -qE "from 127\.0\.0\.8:[0-9]+ " "$work/proxyprotocol.log"
    fi
    end_server "$host_pid"
}

cut_off() { ! fetch -o /dev/null "$1"; }

# tells_client ADDRESS CURL_ARGUMENTS: the answer names the address, and a port
tells_client() {
    local seen
    seen=$(fetch "${@:2}") || return
    echo "$seen"
    [[ $seen =~ ^$1\ [1-9][0-9]*$ ]]
}

proxyprotocol_suite
