# A chain over TLS with a certificate from openssl, pinned and by name, and over a Unix socket; curl is the client.

tls_suite() {
    local peer pin tls
    for peer in openssl curl; do
        have $peer || { skip tls "$peer is not installed"; return; }
    done
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=gate.test -addext subjectAltName=DNS:gate.test \
        -keyout "$work/tls.key" -out "$work/tls.pem" 2>/dev/null || { fail "openssl makes a certificate"; return; }
    pin=$(openssl x509 -in "$work/tls.pem" -noout -fingerprint -sha256 | cut -d= -f2)
    head -c 20000000 /dev/urandom >"$work/tls.data"
    json secure '{ "proxyServers": [ { "name": "tls", "certificate": "tls.pem" }, { "name": "unix", "localAddress": "unix:'"$work"'/p.sock" } ] }'
    start_host secure || { fail "proxy servers over TLS and a Unix socket start" "$work/secure.log"; return; }
    tls=$(uri_of secure tls)

    check "openssl shakes hands with the TLS hop" handshake "${tls#relays://}"
    check "a pinned certificate is trusted" limited "$proxyshell" test --chain "$tls?thumbprint=${pin//:/}" "relay+unix:$work/p.sock"
    check "another certificate is not" says 1 "hop 1 (${tls#relays://}): TLS handshake failed: the server's certificate has thumbprint ${pin//:/}, not the pinned one" \
        "$proxyshell" test --chain "$tls?thumbprint=$(printf 'ab%.0s' $(seq 32))"
    check "an unknown issuer is not trusted" says 1 "hop 1 (${tls#relays://}): TLS handshake failed: the certificate (CN=gate.test) is not trusted" "$proxyshell" test --chain "$tls?servername=gate.test"
    check "a plain hop URI to a TLS hop fails in words" says 1 "hop 1 (${tls#relays://}):" "$proxyshell" test --chain "relay://${tls#relays://}"
    have socat || { skip "curl through TLS and a Unix socket" "socat is not installed"; return; }
    through_tls "$tls" "$pin"
}

handshake() { limited openssl s_client -connect "$1" -servername gate.test </dev/null; }

through_tls() {
    local port
    port=$(free_port)
    printf 'printf "HTTP/1.1 200 OK\\r\\nContent-Length: 20000000\\r\\nConnection: close\\r\\n\\r\\n"; cat %s; cat >/dev/null\n' "$work/tls.data" >"$work/web.sh"
    serve "$work/tls-origin.log" socat -t 60 "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr" "EXEC:sh $work/web.sh"
    until_true answers "$port"
    json overtls '{ "accessListeners": [ { "name": "overtls", "destination": "127.0.0.1:'"$port"'", "chain": [
        { "uri": "'"$1"'", "thumbprint": "'"$2"'" }, "relay+unix:'"$work"'/p.sock" ] } ] }'
    start_host overtls || { fail "an access listener over TLS starts" "$work/overtls.log"; return; }
    check "curl downloads 20 MB through TLS and a Unix socket" download_tls "http://127.0.0.1:$(port_of overtls overtls)/"
}

download_tls() { fetch -o "$work/tls.got" "$1" && same "$work/tls.got" "$work/tls.data"; }

tls_suite
