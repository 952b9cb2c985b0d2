# curl through three hops from nginx.

curl_suite() {
    local port=$web_port web pid
    if ! have curl || [ -z "$web_port" ]; then skip curl "curl or nginx is not installed"; return; fi
    head -c 200000000 /dev/urandom >"$work/www/file"
    listener web "127.0.0.1:$port" || { fail "the access listener starts" "$work/web.log"; return; }
    web=http://127.0.0.1:$listener_port/file pid=$host_pid

    check "curl downloads 200 MB through three hops, checksum equal" download "$web"
    check "eight downloads at a time, checksums equal" downloads "$web"
    check "two requests use one connection" reuse "$web"
    check "a slow reader gets every byte" slow "$web"
    dead_hop "127.0.0.1:$port"
    end_server "$pid"
}

download() { fetch -o "$work/file" "$1" && same "$work/file" "$work/www/file"; }

downloads() {
    local i jobs=()
    for i in $(seq 8); do
        fetch -o "$work/part$i" -r "0-20000000" "$1" &
        jobs+=("$!")
    done
    for i in "${jobs[@]}"; do wait "$i" || return 1; done
    head -c 20000001 "$work/www/file" >"$work/part0"
    for i in $(seq 8); do same "$work/part$i" "$work/part0" || return 1; done
}

reuse() { [ "$(fetch -r 0-9 -o /dev/null -w '%{num_connects} ' "$1" -r 0-9 -o /dev/null "$1")" = "1 0 " ]; }

slow() { fetch --limit-rate 2M -r 0-6000000 -o "$work/slow" "$1" && head -c 6000001 "$work/www/file" >"$work/part0" && same "$work/slow" "$work/part0"; }

# hop 2 does not listen: curl is cut off at once, and the log names the hop
dead_hop() {
    local dead status
    dead=$(free_port)
    json broken "{ \"accessListeners\": [ { \"name\": \"broken\", \"destination\": \"$1\", \"chain\": [ \"$p1\", \"relay://127.0.0.1:$dead\", \"$p3\" ] } ] }"
    start_host broken || { fail "an access listener with a dead hop starts" "$work/broken.log"; return; }
    timeout 5 curl -sS --noproxy '*' -o /dev/null "http://127.0.0.1:$(port_of broken broken)/" 2>/dev/null
    status=$?
    check "curl is cut off at once by a dead hop" [ "$status" -eq 52 -o "$status" -eq 56 ]
    check "the log names the dead hop" until_true grep -qF "hop 2 (127.0.0.1:$dead): connection refused" "$work/broken.log"
    end_server "$host_pid"
}

curl_suite
