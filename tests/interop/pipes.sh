# Striped pipes, both framings, between two Hosts: what real clients do over them; and tcp-striper at either end of the datagram framing.

pipes_suite() {
    local framing
    if ! have curl || [ -z "$web_port" ]; then skip "striped pipes" "curl or nginx is not installed"; return; fi
    start_peer redis; start_peer dnsmasq; start_peer postgres
    [ -s "$work/www/mixed" ] || head -c 20000000 /dev/urandom >"$work/www/mixed"
    [ -s "$work/pipes.up" ] || head -c 10000000 /dev/urandom >"$work/pipes.up"
    start_listener_after_end
    for framing in stripe datagram; do pipes_with "$framing"; done
    striper_suite
}

# start_pipes FRAMING: a far end and a near end for each peer there is; the web is reached directly, ssh through the three hops, the rest by both ways in turn
start_pipes() {
    local name key= way far=() near=()
    [ "$1" = datagram ] || key=', "key": "env:PX_KEY"'
    local hops="[ \"$p1\", { \"uri\": \"$p2\", \"key\": \"env:PX_KEY\" }, \"$p3\" ]"
    for name in web half ssh redis postgres dns; do
        [ -n "$(peer_port "$name")" ] || continue
        far+=("{ \"name\": \"$name\", \"accept\": true, \"framing\": \"$1\"$key, \"udp\": $(is_udp "$name"), \"destination\": \"127.0.0.1:$(peer_port "$name")\" }")
    done
    json "far-$1" "{ \"stripedPipes\": [ $(IFS=,; echo "${far[*]}") ] }"
    start_host "far-$1" || return
    far_pid=$host_pid
    for name in web half ssh redis postgres dns; do
        [ -n "$(peer_port "$name")" ] || continue
        case $name in web | half) way= ;; ssh) way=", \"chain\": $hops" ;; *) way=", \"chains\": [ $hops, [] ]" ;; esac
        near+=("{ \"name\": \"$name\", \"peer\": \"$(uri_of "far-$1" "$name")\", \"framing\": \"$1\"$key, \"udp\": $(is_udp "$name")$way }")
    done
    json "near-$1" "{ \"stripedPipes\": [ $(IFS=,; echo "${near[*]}") ] }"
    start_host "near-$1" || return
    near_pid=$host_pid
}

peer_port() {
    case $1 in web) echo "$web_port" ;; half) echo "$after_end_port" ;; ssh) echo "$sshd_port" ;; redis) echo "$redis_port" ;; postgres) echo "$postgres_port" ;; dns) echo "$dnsmasq_port" ;; esac
}

is_udp() { [ "$1" = dns ] && echo true || echo false; }

near_port() { port_of "near-$framing" "$1"; }

pipes_with() {
    local framing=$1 what="framing $1"
    start_pipes "$framing" || { fail "pipes start, $what" "$work/near-$framing.log"; return; }
    check "curl downloads 20 MB, checksum equal, $what" mixed_fetch "http://127.0.0.1:$(near_port web)/mixed"
    check "two hundred downloads at a time, checksums equal, $what" many_fetches "http://127.0.0.1:$(near_port web)/mixed-small"
    check "curl uploads 10 MB, checksum equal, $what" pipe_upload "http://127.0.0.1:$(near_port web)/upload/$framing"
    if [ -n "$after_end_port" ]; then check "a client ends its direction, then reads the answer, $what" answered_after_end "$(near_port half)"; else skip "half-close, $what" "socat is not installed"; fi
    if [ -n "$sshd_port" ] && have scp; then
        printf 'Host pipe-%s\n    HostName 127.0.0.1\n    Port %s\n' "$framing" "$(near_port ssh)" >>"$work/ssh/config"
        check "ssh: a command's output and status, $what" prints $'hello\n7' pipe_ssh
        check "scp of $(pipe_size) MB, checksum equal, $what" pipe_scp
    else
        skip "ssh and scp, $what" "OpenSSH (client and server) is not installed"
    fi
    [ -z "$redis_port" ] || check "redis-cli: 2,000 commands, and 1 MB, $what" pipe_redis "$(near_port redis)"
    [ -z "$postgres_port" ] || check "PostgreSQL: pgbench with ten clients, and 10 MB by COPY, checksum equal, $what" pipe_postgres "$(near_port postgres)"
    if [ -n "$dnsmasq_port" ] && have dig; then
        check "dig over UDP, $what" dig_answers "$(near_port dns)"
        check "dig over UDP, an answer of 1,600 bytes, $what" dig_long "$(near_port dns)" +notcp
        check "four hundred questions, $what" dig_many "$(near_port dns)"
    else
        skip "dig over UDP, $what" "dig or dnsmasq is not installed"
    fi
    end_server "$near_pid"
    end_server "$far_pid"
}

many_fetches() {
    local i
    head -c 300000 "$work/www/mixed" >"$work/www/mixed-small"
    rm -rf "$work/many" && mkdir "$work/many"
    for i in $(seq 200); do printf 'url = "%s"\noutput = "%s"\n' "$1" "$work/many/$i"; done >"$work/many.conf"
    fetch --parallel --parallel-immediate --parallel-max 200 --no-progress-meter -K "$work/many.conf" || return
    [ "$(sha256sum "$work"/many/* | cut -d' ' -f1 | sort | uniq -c | awk '{ print $1, $2 }')" = "200 $(checksum "$work/www/mixed-small")" ]
}

pipe_upload() { fetch -T "$work/pipes.up" "$1" && same "$work/pipes.up" "$work/www/upload/$framing"; }

# says the checksum of what it got, after it has read the end
start_listener_after_end() {
    after_end_port=
    have socat || return
    after_end_port=$(free_port)
    serve "$work/after-end.log" socat -t 60 "TCP-LISTEN:$after_end_port,bind=127.0.0.1,fork,reuseaddr" EXEC:sha256sum
    until_true answers "$after_end_port"
}

answered_after_end() { prints "$(checksum "$work/pipes.up")" end_then_read "$1"; }

end_then_read() { limited socat -t 60 - "TCP:127.0.0.1:$1" <"$work/pipes.up" | cut -d' ' -f1; }

pipe_ssh() {
    secure ssh "pipe-$framing" 'echo hello; exit 7' </dev/null
    echo "$?"
}

# a gibibyte over stripes, where it matters
pipe_size() { [ "$framing" = stripe ] && echo 1024 || echo 100; }

pipe_scp() {
    head -c "$(pipe_size)M" /dev/urandom >"$work/bulk"
    timeout -k 5 300 scp -q -F "$work/ssh/config" "$work/bulk" "pipe-$framing:$work/bulk.there" && same "$work/bulk" "$work/bulk.there"
    local status=$?
    rm -f "$work/bulk" "$work/bulk.there"
    return $status
}

pipe_redis() {
    local i
    redis-cli -p "$1" del counter >/dev/null
    for i in $(seq 2000); do echo "incr counter"; done | limited redis-cli -p "$1" | tail -n 1 | grep -qx 2000 || return
    head -c 1000000 "$work/www/mixed" >"$work/value"
    limited redis-cli -p "$1" -x set value <"$work/value" && limited redis-cli -p "$1" --no-raw strlen value | grep -q 1000000
}

pipe_postgres() {
    limited pgbench -q -i -h 127.0.0.1 -p "$1" -U postgres postgres && limited pgbench -n -c 10 -j 2 -t 50 -h 127.0.0.1 -p "$1" -U postgres postgres || return
    ask_postgres "$1" -c 'drop table if exists bulk' -c 'create table bulk (line text)' &&
        base64 "$work/pipes.up" >"$work/lines" && ask_postgres "$1" -c '\copy bulk from pstdin' <"$work/lines" &&
        ask_postgres "$1" -c '\copy bulk to pstdout' >"$work/lines.back" && same "$work/lines" "$work/lines.back"
}

ask_postgres() { limited psql -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$1" -U postgres "${@:2}" postgres; }

# tcp-striper is in no registry: PX_TCP_STRIPER names its program tcp-proxy, built from its sources
striper_suite() {
    local theirs striper=${PX_TCP_STRIPER:-}
    if [ -z "$striper" ]; then skip "tcp-striper at either end" "PX_TCP_STRIPER does not name its tcp-proxy"; return; fi
    [ -n "$after_end_port" ] || { skip "tcp-striper at either end" "socat is not installed"; return; }
    theirs=$(free_port)
    json striper '{ "stripedPipes": [
        { "name": "far", "accept": true, "framing": "datagram", "destination": "127.0.0.1:'"$after_end_port"'" },
        { "name": "near", "framing": "datagram", "peer": "127.0.0.1:'"$theirs"'" } ] }'
    start_host striper || { fail "pipes for tcp-striper start" "$work/striper.log"; return; }
    local ours=$host_pid near
    near=$(free_port)
    # it serves one connection, so its port cannot be tried before
    serve "$work/striper-near.log" "$striper" -c "$near" 127.0.0.1 "$(port_of striper far)"
    until_true listens "$near"
    check "tcp-striper's near end, our far end: half-close and checksum" answered_after_end "$near"
    serve "$work/striper-far.log" "$striper" -s "$theirs" 127.0.0.1 "$after_end_port"
    until_true listens "$theirs"
    check "our near end, tcp-striper's far end: half-close and checksum" answered_after_end "$(port_of striper near)"
    end_server "$ours"
}

pipes_suite
