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

# certificates of both sides, with curl as the client and openssl as the authority; and a file that is renewed under a running server
mutual_suite() {
    local port proxy second
    for peer in openssl curl; do
        have $peer || { skip "client certificates" "$peer is not installed"; return; }
    done
    [ -n "$web_port" ] || { skip "client certificates" "nginx is not installed"; return; }
    certificates >"$work/openssl.log" 2>&1 || { fail "openssl makes certificates" "$work/openssl.log"; return; }
    json mutual '{ "proxyServers": [ { "name": "mutual", "localAddress": "*", "certificate": "gate-a.pem", "certificates": [ "gate-b.pem" ],
            "allowDestination": [ "127.0.0.1" ], "clientCertificateAuthority": [ "authority.pem" ] } ] }'
    start_host mutual || { fail "a proxy server that wants client certificates starts" "$work/mutual.log"; return; }
    port=$(port_of mutual mutual)
    proxy=(--proxy-cacert "$work/authority.pem" --resolve "a.gate.test:$port:127.0.0.1" --resolve "b.gate.test:$port:127.0.0.1" -o /dev/null "http://127.0.0.1:$web_port/none")
    check "curl shows its certificate to an HTTPS proxy" proxied -x "https://a.gate.test:$port" --proxy-cert "$work/client.pem" "${proxy[@]}"
    check "the name that curl asks for chooses the certificate" proxied -x "https://b.gate.test:$port" --proxy-cert "$work/client.pem" "${proxy[@]}"
    check "curl without a certificate is refused" fails proxied -x "https://a.gate.test:$port" "${proxy[@]}"
    check "the log says so" until_true grep -qF "the client sent no certificate" "$work/mutual.log"
    check "a certificate of another authority is refused" fails proxied -x "https://a.gate.test:$port" --proxy-cert "$work/tls.both" "${proxy[@]}"
    json hopcert '{ "accessListeners": [ { "name": "hopcert", "destination": "127.0.0.1:'"$web_port"'", "chain": [ "'"$p1"'",
        { "uri": "https://127.0.0.1:'"$port"'", "thumbprint": "'"$(pin_of "$work/gate-a.pem")"'", "clientCertificate": "client.pem" } ] } ] }'
    if start_host hopcert; then
        check "a hop is shown the certificate that it wants" fetch -o /dev/null "http://127.0.0.1:$(port_of hopcert hopcert)/none"
        end_server "$host_pid"
    else
        fail "an access listener with a client certificate starts" "$work/hopcert.log"
    fi
    second=$(pin_of "$work/renewed.pem")
    mv "$work/renewed.pem" "$work/gate-a.pem"
    check "a renewed certificate is shown without a restart" until_true shows "$port" "$second"
}


pin_of() { openssl x509 -in "$1" -noout -fingerprint -sha256 | cut -d= -f2 | tr -d :; }

shows() { [ "$(openssl s_client -connect "127.0.0.1:$1" -servername a.gate.test </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 | cut -d= -f2 | tr -d :)" = "$2" ]; }

certificates() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority.test -keyout "$work/authority.key" -out "$work/authority.pem" || return
    issue gate-a a.gate.test serverAuth && issue renewed a.gate.test serverAuth && issue gate-b b.gate.test serverAuth && issue client client.test clientAuth || return
    cat "$work/tls.pem" "$work/tls.key" >"$work/tls.both"
}

# issue FILE NAME USAGE: certificate and key in one file
issue() {
    printf 'subjectAltName=DNS:%s\nextendedKeyUsage=%s\n' "$2" "$3" >"$work/$1.ext"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" -keyout "$work/$1.private" -out "$work/$1.csr" &&
        openssl x509 -req -in "$work/$1.csr" -CA "$work/authority.pem" -CAkey "$work/authority.key" -CAcreateserial -days 2 -extfile "$work/$1.ext" -out "$work/$1.pem" &&
        cat "$work/$1.private" >>"$work/$1.pem"
}

tls_suite
mutual_suite
