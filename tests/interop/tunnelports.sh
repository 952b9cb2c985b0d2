# What tunnels carry besides HTTP of the gateway: ssh, Redis and DNS on ports of it, TLS that the service ends itself; and the ways of agents:
# through a chain, and inside WebSockets through HTTP proxies.

tunnelports_suite() {
    local ssh_public redis_public dns_public front secure pin tunnels=()
    if ! have curl || ! have openssl || [ -z "$web_port" ]; then skip "ports of tunnels" "curl, openssl or nginx is not installed"; return; fi
    start_peer redis; start_peer dnsmasq; start_peer tinyproxy; start_peer squid
    [ -s "$work/www/mixed" ] || head -c 20000000 /dev/urandom >"$work/www/mixed"
    certificate gateway '*.tunnels.test' && certificate own own.tunnels.test || { fail "openssl makes certificates"; return; }
    pin=$(openssl x509 -in "$work/gateway.pem" -noout -fingerprint -sha256 | cut -d= -f2 | tr -d :)
    ssh_public=$(free_port) redis_public=$(free_port) dns_public=$(free_port) own_port=$(free_port)
    printf 'open sesame' >"$work/token"
    chmod 600 "$work/token"
    new_identity
    json front '{ "tunnelGateways": [
        { "name": "front", "httpPort": 0, "tcpPorts": [ '"$ssh_public, $redis_public"' ], "udpPorts": [ '"$dns_public"' ], "token": "file:token" },
        { "name": "secure", "httpsPort": 0, "domain": "tunnels.test", "certificate": "gateway.both" } ] }'
    start_host front || { fail "gateways start" "$work/front.log"; return; }
    front_pid=$host_pid front=$(uri_of front front) secure=$(port_of front secure) https_port=$(sed -n 's/^secure: .* on port \([0-9]*\) for HTTPS$/\1/p' "$work/front.log")
    http_port=$(sed -n 's/^front: .* on port \([0-9]*\) for HTTP$/\1/p' "$work/front.log")
    local by="\"gateway\": \"$front\", \"identityFile\": \"agent.pem\", \"token\": \"file:token\"" web="\"destination\": \"http://127.0.0.1:$web_port\""
    local wss="\"gateway\": \"wss://127.0.0.1:$secure/agents?thumbprint=$pin\", \"identityFile\": \"agent.pem\""
    peer own "$own_port" openssl s_server -www -accept "127.0.0.1:$own_port" -cert "$work/own.pem" -key "$work/own.key"
    tunnels+=("{ \"name\": \"chained\", $web, \"hostName\": \"chained\", $by, \"chain\": [ \"$p1\", { \"uri\": \"$p2\", \"key\": \"env:PX_KEY\" }, \"$p3\" ] }"
        "{ \"name\": \"own\", \"destination\": \"tls://127.0.0.1:$own_port\", \"hostName\": \"own\", $wss }"
        "{ \"name\": \"wss\", $web, \"hostName\": \"wss\", $wss }")
    [ -z "$tinyproxy_port" ] || tunnels+=("{ \"name\": \"tinyproxied\", $web, \"hostName\": \"tinyproxied\", $wss, \"chain\": [ \"http://127.0.0.1:$tinyproxy_port\" ] }")
    [ -z "$squid_port" ] || tunnels+=("{ \"name\": \"squidded\", $web, \"hostName\": \"squidded\", $wss, \"chain\": [ \"http://env:PX_LOGIN@127.0.0.1:$squid_port\" ] }")
    [ -z "$sshd_port" ] || tunnels+=("{ \"name\": \"ssh\", \"destination\": \"tcp://127.0.0.1:$sshd_port\", \"remotePort\": $ssh_public, $by }")
    [ -z "$redis_port" ] || tunnels+=("{ \"name\": \"redis\", \"destination\": \"tcp://127.0.0.1:$redis_port\", \"remotePort\": $redis_public, $by }")
    [ -z "$dnsmasq_port" ] || tunnels+=("{ \"name\": \"dns\", \"destination\": \"udp://127.0.0.1:$dnsmasq_port\", \"remotePort\": $dns_public, $by }")
    json inside "{ \"tunnels\": [ $(IFS=,; echo "${tunnels[*]}") ] }"
    start_agents inside || { fail "agents start" "$work/inside.log"; end_server "$front_pid"; return; }
    inside_pid=$agents_pid
    check "an agent through three relay hops" chained_fetch
    check "an agent over wss, HTTPS for the public" secure_fetch wss
    [ -z "$tinyproxy_port" ] || check "an agent over wss through tinyproxy" secure_fetch tinyproxied
    [ -z "$squid_port" ] || check "an agent over wss through squid, which wants a password" secure_fetch squidded
    check "curl trusts the service's own certificate, which passes the gateway" own_answers
    check "openssl sees the service's own certificate" shows own.tunnels.test own
    check "and the gateway's for other names" shows wss.tunnels.test gateway
    if [ -n "$sshd_port" ]; then
        printf 'Host tunnel\n    HostName 127.0.0.1\n    Port %s\n' "$ssh_public" >>"$work/ssh/config"
        check "ssh through a TCP tunnel: a command's output and status" prints $'hello\n7' tunnel_ssh
        check "ssh through a TCP tunnel: 20 MB, checksum equal" tunnel_ssh_bulk
    else
        skip "ssh through a TCP tunnel" "OpenSSH (client and server) is not installed"
    fi
    [ -z "$redis_port" ] || check "redis-cli through a TCP tunnel: 2,000 commands, and 1 MB" tunnel_redis "$redis_public"
    if [ -n "$dnsmasq_port" ] && have dig; then
        check "dig through a UDP tunnel" dig_answers "$dns_public"
        check "dig through a UDP tunnel, an answer of 1,600 bytes" dig_long "$dns_public" +notcp
        check "four hundred questions through a UDP tunnel" dig_many "$dns_public"
    else
        skip "dig through a UDP tunnel" "dig or dnsmasq is not installed"
    fi
    check "an agent without the token is refused in words" says 1 "stranger cannot start: gateway $front: " "$proxyshell" run --config "$(stranger)"
    end_server "$inside_pid"
    end_server "$front_pid"
}

# certificate NAME DNS: NAME.pem, NAME.key, and both in one file
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" -addext "subjectAltName=DNS:$2" \
        -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null && cat "$work/$1.pem" "$work/$1.key" >"$work/$1.both"
}

chained_fetch() {
    fetch --resolve "*:$http_port:127.0.0.1" -o "$work/mixed" "http://chained.localhost:$http_port/mixed" && same "$work/mixed" "$work/www/mixed"
}

secure_fetch() {
    fetch --cacert "$work/gateway.pem" --resolve "*:$https_port:127.0.0.1" -o "$work/mixed" "https://$1.tunnels.test:$https_port/mixed" && same "$work/mixed" "$work/www/mixed"
}

# openssl tells of the connection that it has
own_answers() { fetch --cacert "$work/own.pem" --resolve "*:$https_port:127.0.0.1" "https://own.tunnels.test:$https_port/" | grep -q 's_server'; }

fingerprint() { openssl x509 -noout -fingerprint -sha256; }

# shows NAME CERTIFICATE: who asks the HTTPS port for the name is shown this one
shows() { [ "$(limited openssl s_client -connect "127.0.0.1:$https_port" -servername "$1" </dev/null 2>/dev/null | fingerprint)" = "$(fingerprint <"$work/$2.pem")" ]; }

tunnel_ssh() { secure ssh tunnel 'echo hello; exit 7' </dev/null; echo "$?"; }

tunnel_ssh_bulk() { [ "$(secure ssh tunnel sha256sum <"$work/www/mixed" | cut -d' ' -f1)" = "$(checksum "$work/www/mixed")" ]; }

tunnel_redis() {
    local redis=(limited redis-cli -h 127.0.0.1 -p "$1")
    for i in $(seq 2000); do echo "SET key$i $i"; done | "${redis[@]}" | grep -cx OK | grep -qx 2000 || return
    [ "$("${redis[@]}" GET key1999)" = 1999 ] || return
    head -c 1000000 "$work/www/mixed" | base64 -w 0 >"$work/value"
    "${redis[@]}" -x SET large <"$work/value" && "${redis[@]}" --raw GET large | tr -d '\n' | cmp - "$work/value"
}

stranger() {
    json stranger '{ "tunnels": [ { "name": "stranger", "gateway": "'"$front"'", "identityFile": "agent.pem", "destination": "tcp://127.0.0.1:1" } ] }'
    echo "$work/stranger.json"
}

tunnelports_suite
