# HTTP and WebSockets through a gateway and an agent, each a process of its own, to nginx and to a server of npm ws; and what happens when one of
# them dies. PROXYSHELL_INTEROP_BIG=1073741824 sends a file of 1 GiB instead of 64 MiB; PROXYSHELL_INTEROP_LONG=1 keeps the usual 20 s of silence.

tunnels_suite() {
    if ! have curl || [ -z "$web_port" ]; then skip "tunnels" "curl or nginx is not installed"; return; fi
    [ -s "$work/www/mixed" ] || head -c 20000000 /dev/urandom >"$work/www/mixed"
    big_length=${PROXYSHELL_INTEROP_BIG:-67108864}
    head -c "$big_length" /dev/urandom >"$work/www/big"
    big_sum=$(checksum "$work/www/big")
    start_gateway || { fail "a gateway starts" "$work/gate.log"; return; }
    web_file
    start_agents web || { fail "an agent starts" "$work/web.log"; return; }
    agent_pid=$agents_pid blog=http://blog.localhost:$public_port
    check "curl reads a listing" tunnel_listing
    check "$((big_length >> 20)) MiB down, checksum equal" tunnel_same "$blog/big"
    check "$((big_length >> 20)) MiB posted, checksum equal" tunnel_posts -X POST -H "Expect:" -T "$work/www/big"
    check "$((big_length >> 20)) MiB posted in chunks, checksum equal" tunnel_posts -X POST -H "Transfer-Encoding: chunked" -T "$work/www/big"
    check "neither process has kept it in memory" tunnel_memory
    check "If-Modified-Since: 304" tunnel_status 304 -z "$work/www/mixed" "$blog/mixed"
    check "a range" tunnel_range
    check "HEAD has the length and no body" tunnel_head
    check "Expect: 100-continue is answered before the body" tunnel_continue
    check "a client of HTTP/1.0" tunnel_same --http1.0 "$blog/big"
    check "a client of HTTP/1.0 without Host is told which host is meant" talk_status "$public_port" 404 'GET /mixed HTTP/1.0\r\n\r\n'
    check "pipelined requests are answered in order" tunnel_pipelined
    check "204 and 404 arrive, and the connection is kept" tunnel_statuses
    check "the service is told who asked for what" tunnel_forwarded
    check "a slow reader holds up nobody" tunnel_slow
    check "an unknown name is 404" tunnel_refused 404 unknown-host -H "Host: other.localhost" "$blog/"
    tunnel_sockets
    check "a service that is down is 502" tunnel_refused 502 service-down "http://down.localhost:$public_port/"
    check "an agent is replaced by SIGHUP under load and nobody notices" tunnel_replaced
    check "the access log has what was asked for" until_true grep -q '"GET /mixed HTTP/1.1" 200 20000000' "$work/access.log"
    tunnel_deaths
    sed 's/^/        | /' "$work/figures"
    end_server "$agent_pid"
    check "an agent that has left in order is gone" until_true tunnel_refused 404 unknown-host "$blog/"
    end_server "$gate_pid"
}

# web_file [MORE]: the agents' file, with more about the first
web_file() {
    json web '{ "tunnels": [
        { "name": "blog", "destination": "http://127.0.0.1:'"$web_port"'", "hostName": "blog", "stopTimeout": 60, '"$(tunnel_agent)${1:-}"' },
        { "name": "down", "destination": "http://127.0.0.1:1", "hostName": "down", '"$(tunnel_agent)"' } ] }'
}

# names in .localhost lead to this machine
public() { fetch --resolve "*:$public_port:127.0.0.1" "$@"; }

tunnel_same() { [ "$(public "$@" | sha256sum | cut -d' ' -f1)" = "$big_sum" ]; }

tunnel_listing() { public "$blog/listing/" | grep -q '<a href="big">'; }

# the answer is the name of the file that nginx has made of the body
tunnel_posts() {
    local file
    file=$(public "$@" "$blog/post") && [ -s "$file" ] || { echo "no file: $file"; return 1; }
    [ "$(checksum "$file")" = "$big_sum" ]
    local status=$?
    rm -f "$file"
    return $status
}

# the most that they ever had, in KiB: twice this for 64 MiB would be too much, and for 1 GiB it is the same
tunnel_memory() {
    local pid peak
    for pid in "$gate_pid" "$agent_pid"; do
        peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
        echo "process $pid: $peak KiB at most" | tee -a "$work/figures"
        [ "$peak" -lt 300000 ] || return 1
    done
}

# tunnel_status STATUS ARGUMENTS...
tunnel_status() { [ "$(limited curl -sS --noproxy '*' --max-time 20 -o /dev/null -w '%{http_code}' --resolve "*:$public_port:127.0.0.1" "${@:2}")" = "$1" ]; }

# tunnel_refused STATUS REASON ARGUMENTS...: by the gateway, at once, with the reason and a sentence
tunnel_refused() {
    limited curl -sS --noproxy '*' --max-time 5 -D "$work/refusal" -o "$work/refusal.body" --resolve "*:$public_port:127.0.0.1" "${@:3}" || return
    cat "$work/refusal" "$work/refusal.body"
    grep -q "^HTTP/1.1 $1 " "$work/refusal" && grep -qi "^ProxyShell-Reason: $2" "$work/refusal" && [ -s "$work/refusal.body" ]
}

tunnel_range() { cmp <(public -r 1000000-5999999 "$blog/mixed") <(tail -c +1000001 "$work/www/mixed" | head -c 5000000); }

tunnel_head() { public -I "$blog/big" | tr -d '\r' >"$work/head" && grep -qix "content-length: $big_length" "$work/head"; }

tunnel_continue() {
    rm -f "$work/www/upload/tunnel"
    public -v -H 'Expect: 100-continue' -T "$work/www/mixed" -o /dev/null "$blog/upload/tunnel" 2>"$work/continue" && grep -q '^< HTTP/1.1 100' "$work/continue" &&
        same "$work/www/upload/tunnel" "$work/www/mixed"
}

# by netcat, which sends all three before it reads
tunnel_pipelined() {
    local seen send=talk
    have nc && send=tunnel_netcat
    seen=$($send "$public_port" "$(printf 'GET %s HTTP/1.1\\r\\nHost: blog.localhost\\r\\n%s\\r\\n' /none '' /missing '' /client 'Connection: close\r\n')" | tr -d '\r' | grep '^HTTP/1.1 ')
    echo "$seen"
    [ "$(cut -d' ' -f2 <<<"$seen" | tr '\n' ' ')" = "204 404 200 " ]
}

tunnel_netcat() { printf "$2" | limited nc -w 10 127.0.0.1 "$1"; }

tunnel_statuses() {
    local seen
    seen=$(limited curl -sS --noproxy '*' --resolve "*:$public_port:127.0.0.1" -o /dev/null -o /dev/null -o /dev/null -o /dev/null -w '%{http_code}/%{num_connects} ' \
        "$blog/none" "$blog/missing" "$blog/client" "$blog/none")
    echo "$seen"
    [ "$seen" = "204/1 404/0 200/0 204/0 " ]
}

tunnel_forwarded() {
    local seen
    seen=$(public -H 'X-Forwarded-For: 192.0.2.9' -H 'Forwarded: for=192.0.2.9' "$blog/forwarded")
    echo "$seen"
    [[ $seen == "127.0.0.1|http|blog.localhost:$public_port|"*"|blog.localhost:$public_port" ]] && [[ $seen != *192.0.2.9* ]]
}

# 16 KiB a second; meanwhile others take the whole file, and it goes on
tunnel_slow() {
    local before after
    public --limit-rate 16k --max-time 60 -o "$work/slow" "$blog/big" &
    local slow=$!
    until_true [ -s "$work/slow" ] || return 1
    before=$(wc -c <"$work/slow")
    tunnel_same "$blog/big" && mixed_public && tunnel_same "$blog/big" || { echo "the others failed"; kill "$slow"; return 1; }
    # two more seconds of it, unless the others took so long
    until_true grown "$work/slow" "$before"
    after=$(wc -c <"$work/slow")
    kill -0 "$slow" || { echo "the slow reader has ended"; return 1; }
    kill "$slow"
    wait "$slow" 2>/dev/null
    echo "$before bytes, then $after"
    cmp -n "$after" "$work/slow" "$work/www/big"
}

grown() { [ "$(wc -c <"$1")" -gt $(($2 + 32768)) ]; }

mixed_public() { public -o "$work/mixed" "$blog/mixed" && same "$work/mixed" "$work/www/mixed"; }

tunnel_sockets() {
    local why port
    have_npm || { skip "WebSockets through a tunnel" "$why"; return; }
    serve "$work/echoes" node "$work/npm/tunnels.mjs" serve
    until_true test -s "$work/echoes" || { fail "a WebSocket server starts" "$work/echoes"; return; }
    port=$(head -n 1 "$work/echoes")
    json sockets '{ "tunnels": [ { "name": "sockets", "destination": "http://127.0.0.1:'"$port"'", "hostName": "sockets", '"$(tunnel_agent)"' } ] }'
    start_agents sockets || { fail "an agent of the WebSocket server starts" "$work/sockets.log"; return; }
    check "npm ws: texts, bytes, 1 MiB, pings and close codes" prints "echoes, ping, close" npm_script tunnels drive "ws://sockets.localhost:$public_port/chat"
    end_server "$agents_pid"
}

# small requests over new connections, large ones, and one that is under way all the time, while the agent is replaced four times
tunnel_replaced() {
    local i pid loads=()
    : >"$work/lost"
    for i in 1 2 3; do tunnel_requests & loads+=("$!"); done
    public --limit-rate 20M -o "$work/lasting" "$blog/mixed" &
    loads+=("$!")
    for i in 1 2 3 4; do
        web_file ", \"maxConnections\": 100$i"
        kill -HUP "$agent_pid"
        until_true grep -qF "restarted blog (changed MaxConnections from $([ "$i" -eq 1 ] && echo 4000 || echo "100$((i - 1))") to 100$i)" "$work/web.log" || return 1
    done
    for pid in "${loads[@]}"; do wait "$pid" || echo "status $?" >>"$work/lost"; done
    cat "$work/lost"
    [ ! -s "$work/lost" ] && same "$work/lasting" "$work/www/mixed"
}

tunnel_requests() {
    local i
    for i in $(seq 40); do
        public -o /dev/null "$blog/client" || echo "request $i" >>"$work/lost"
        [ $((i % 10)) -ne 0 ] || tunnel_mixed || echo "download $i" >>"$work/lost"
    done
}

tunnel_mixed() { public "$blog/mixed" | cmp - "$work/www/mixed"; }

# requests one after another until the file is gone; a line for each that took longer than 5 s
tunnel_load() {
    while [ -e "$work/loading" ]; do
        limited curl -sS --noproxy '*' --max-time 5 -o /dev/null --resolve "*:$public_port:127.0.0.1" "$blog/mixed" 2>/dev/null
        [ $? -ne 28 ] || echo hang >>"$work/hangs"
    done
}

tunnel_deaths() {
    check "kill -9 of the agent under load: 503 at once, nothing hangs" agent_killed
    check "its name is back within 2 s of its return" agent_returns
    check "kill -9 of the gateway: the agent comes back with the same name" gateway_killed
    check "an agent that is frozen is noticed in $silence s, and comes back" agent_frozen
}

agent_killed() {
    local i loads=()
    touch "$work/loading"
    : >"$work/hangs"
    for i in 1 2 3 4; do tunnel_load & loads+=("$!"); done
    sleep 0.5
    kill -9 "$agent_pid"
    wait "$agent_pid" 2>/dev/null
    local from=$EPOCHREALTIME
    until_true tunnel_refused 503 agent-gone "$blog/" || { cat "$work/refusal"; rm "$work/loading"; return 1; }
    figure "503 after the agent's kill -9" "$from" 2000
    local status=$?
    rm "$work/loading"
    for i in "${loads[@]}"; do wait "$i"; done
    [ $status -eq 0 ] && [ ! -s "$work/hangs" ]
}

# figure WHAT SINCE LIMIT: notes the milliseconds since then, and fails when they are too many
figure() {
    local took
    took=$(elapsed "$2")
    echo "$1: $took ms" | tee -a "$work/figures"
    [ "$took" -lt "$3" ]
}

elapsed() { echo $(((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}) / 1000)); }

agent_returns() {
    local from=$EPOCHREALTIME
    serve "$work/web.log" "$proxyshell" run --config "$work/web.json" --log-level debug
    agent_pid=${pids[-1]}
    until_true tunnel_status 200 "$blog/client" || return
    figure "200 after the agent's start" "$from" 2000
}

gateway_killed() {
    kill -9 "$gate_pid"
    wait "$gate_pid" 2>/dev/null
    until_true grep -q "blog: .*reconnecting in" "$work/web.log" || return
    start_host gate || return
    gate_pid=$host_pid
    local from=$EPOCHREALTIME
    until_true tunnel_status 200 "$blog/client" || return
    figure "200 after the gateway listens again" "$from" 20000
    until_true registered_twice
}

registered_twice() { [ "$(grep -c "info blog: $blog leads to" "$work/web.log")" -eq 2 ]; }

agent_frozen() {
    local from=$EPOCHREALTIME
    kill -STOP "$agent_pid"
    limited curl -sS --noproxy '*' --max-time $((silence + 10)) -o /dev/null -w '%{http_code} after %{time_total} s\n' --resolve "*:$public_port:127.0.0.1" "$blog/client" >"$work/frozen"
    figure "an answer after the agent's SIGSTOP, with ${silence} s of silence allowed" "$from" $((silence * 1000 + 2000))
    local in_time=$?
    tunnel_refused 503 agent-gone "$blog/client"
    local status=$?
    kill -CONT "$agent_pid"
    cat "$work/frozen"
    [ $status -eq 0 ] && [ $in_time -eq 0 ] && grep -q '^50[234]' "$work/frozen" && until_true tunnel_status 200 "$blog/client"
}

tunnels_suite
