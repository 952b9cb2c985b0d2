# Relay hops inside WebSockets: plain and over TLS, behind the HTTP proxies of others, and behind a web server that passes upgrades on.

websocket_suite() {
    local front secure pin way
    if ! have curl || ! have openssl || [ -z "$web_port" ]; then skip "WebSocket hops" "curl, openssl or nginx is not installed"; return; fi
    start_peer tinyproxy; start_peer squid
    [ -f "$work/www/mixed" ] || head -c 20000000 /dev/urandom >"$work/www/mixed"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=front.test -addext subjectAltName=DNS:front.test \
        -keyout "$work/front.key" -out "$work/front.pem" 2>/dev/null || { fail "openssl makes a certificate"; return; }
    pin=$(openssl x509 -in "$work/front.pem" -noout -fingerprint -sha256 | cut -d= -f2 | tr -d :)
    # nginx has to know the port beforehand
    front=$gate_port
    json front '{ "proxyServers": [ { "name": "front", "localPort": '"$front"', "keys": [ "env:PX_KEY" ] },
        { "name": "secure", "keys": [ "env:PX_KEY" ], "certificate": "front.pem" } ] }'
    start_host front || { fail "proxy servers for WebSockets start" "$work/front.log"; return; }
    front_pid=$host_pid secure=$(uri_of front secure)
    through_websocket "a WebSocket" "\"relay+ws://env:PX_KEY@127.0.0.1:$front\""
    through_websocket "a WebSocket over TLS" "{ \"uri\": \"relay+wss://127.0.0.1:${secure##*:}/any/path\", \"key\": \"env:PX_KEY\", \"thumbprint\": \"$pin\" }"
    through_websocket "a WebSocket behind nginx" "\"relay+ws://env:PX_KEY@127.0.0.1:$web_port/gate\""
    [ -z "$tinyproxy_port" ] || through_websocket "a WebSocket behind tinyproxy" "\"http://127.0.0.1:$tinyproxy_port\", \"relay+ws://env:PX_KEY@127.0.0.1:$front/gate\""
    [ -z "$squid_port" ] || through_websocket "a WebSocket over TLS behind squid" \
        "\"http://env:PX_LOGIN@127.0.0.1:$squid_port\", { \"uri\": \"relay+wss://127.0.0.1:${secure##*:}\", \"key\": \"env:PX_KEY\", \"thumbprint\": \"$pin\" }, \"$p1\""
    check "a WebSocket hop without the key is refused" says 1 "hop 1 (127.0.0.1:$front): a key is required" "$proxyshell" connect --chain "relay+ws://127.0.0.1:$front" h:1
    check "what is no WebSocket server is named" says 1 "hop 1 (127.0.0.1:$web_port):" "$proxyshell" connect --chain "relay+ws://env:PX_KEY@127.0.0.1:$web_port/none" h:1
    check "test tells of a WebSocket hop" limited "$proxyshell" test --chain "relay+ws://env:PX_KEY@127.0.0.1:$web_port/gate" "$p1"
    end_server "$front_pid"
}

# through_websocket NAME HOPS: downloads, and uploads with a half-close
through_websocket() {
    json websocket '{ "accessListeners": [ { "name": "websocket", "destination": "127.0.0.1:'"$web_port"'", "chain": [ '"$2"' ] } ] }'
    start_host websocket || { fail "an access listener through $1 starts" "$work/websocket.log"; return; }
    local url=http://127.0.0.1:$(port_of websocket websocket)
    check "curl downloads 20 MB through $1" mixed_fetch "$url/mixed"
    check "curl uploads 20 MB through $1" websocket_upload "$url/upload/websocket"
    end_server "$host_pid"
}

websocket_upload() { rm -f "$work/www/upload/websocket"; fetch -o /dev/null -T "$work/www/mixed" "$1" && same "$work/www/upload/websocket" "$work/www/mixed"; }

websocket_suite
