# The forward proxy between curl and nginx: bodies of every kind both ways, kept connections, headers of one hop, requests that mean two things.

forward_suite() {
    local upload
    if ! have curl || [ -z "$web_port" ]; then skip "the forward proxy" "curl or nginx is not installed"; return; fi
    json forward '{ "proxyServers": [ { "name": "forward", "protocols": [ "http" ] } ] }'
    start_host forward || { fail "the HTTP proxy starts" "$work/forward.log"; return; }
    forward=$(port_of forward forward) web=http://127.0.0.1:$web_port
    head -c 3000000 /dev/urandom | od -An -tx1 >"$work/www/forward"
    check "GET with a length" forwarded_same "$web/forward"
    check "GET of a chunked body" chunked_same
    check "GET from HTTP/1.0" forwarded_same --http1.0 "$web/forward"
    check "a range" range_same
    check "HEAD has no body and keeps the connection" head_and_get
    check "204 has no body and keeps the connection" status_and_get 204/1 200/0 "$web/none"
    check "304 has no body and keeps the connection" status_and_get 304/1 200/0 -H "If-None-Match: $(etag)" "$web/forward"
    check "404 comes from the server" status_and_get 404/1 200/0 "$web/missing"
    for upload in "Content-Length" "Transfer-Encoding: chunked" "Expect: 100-continue" "Transfer-Encoding: chunked, Expect: 100-continue"; do
        check "PUT with $upload" uploaded_same "$upload"
    done
    check "an answer before the body's end arrives whole" status_and_get 405/1 200/1 -d @"$work/www/forward" "$web/forward"
    check "headers of one hop stay behind, others pass" headers_of_one_hop
    check "pipelined requests are answered in order" pipelined
    check "two servers by one connection to the proxy" two_servers
    check "a server that is down is 502" status_and_get 502/1 200/1 "http://127.0.0.1:1/"
    smuggling
    end_server "$host_pid"
}

through() { proxied -x "http://127.0.0.1:$forward" "$@"; }

forwarded_same() { through -o "$work/forwarded" "$@" && same "$work/forwarded" "$work/www/forward"; }

# nginx compresses as it goes, so it cannot know the length
chunked_same() {
    through --compressed -D "$work/heads" -o "$work/forwarded" "$web/zipped/forward" && grep -qi '^transfer-encoding: chunked' "$work/heads" &&
        same "$work/forwarded" "$work/www/forward"
}

range_same() { through -r 1000-200999 -o "$work/forwarded" "$web/forward" && cmp "$work/forwarded" <(tail -c +1001 "$work/www/forward" | head -c 200000); }

head_and_get() { [ "$(through -I -o /dev/null -w '%{http_code}/%{num_connects} ' "$web/forward" --next -fsS --noproxy '' -x "http://127.0.0.1:$forward" -o "$work/forwarded" -w '%{http_code}/%{num_connects}' "$web/forward")" = "200/1 200/0" ] && same "$work/forwarded" "$work/www/forward"; }

etag() { fetch -I "$web/forward" | tr -d '\r' | sed -n 's/^etag: //Ip'; }

# status_and_get STATUS/CONNECTS STATUS/CONNECTS ARGUMENTS: the first request's status and new connections, and those of a download after it
status_and_get() {
    local expected="$1 $2" seen
    seen=$(limited env -u no_proxy -u NO_PROXY curl -sS --noproxy '' -x "http://127.0.0.1:$forward" --max-time 60 -o /dev/null -w '%{http_code}/%{num_connects} ' "${@:3}" \
        --next -sS --noproxy '' -x "http://127.0.0.1:$forward" --max-time 60 -o "$work/forwarded" -w '%{http_code}/%{num_connects}' "$web/forward")
    echo "$seen"
    [ "$seen" = "$expected" ] && same "$work/forwarded" "$work/www/forward"
}

uploaded_same() {
    local arguments=()
    [[ $1 != *chunked* ]] || arguments+=(-H 'Transfer-Encoding: chunked')
    if [[ $1 == *Expect* ]]; then arguments+=(-H 'Expect: 100-continue'); else arguments+=(-H 'Expect:'); fi
    rm -f "$work/www/upload/forward"
    through -T "$work/www/forward" "${arguments[@]}" -o /dev/null "$web/upload/forward" && same "$work/www/upload/forward" "$work/www/forward"
}

headers_of_one_hop() {
    local seen
    seen=$(through -H 'Connection: X-Secret, keep-alive' -H 'X-Secret: 1' -H 'X-Kept: 2' -H 'Proxy-Connection: keep-alive' -H 'Proxy-Authorization: Basic eDp5' "$web/headers")
    echo "$seen"
    [[ $seen =~ ^[^|]*\|\|\|\|2$ ]]
}

# three requests in one write: three answers, in their order
pipelined() {
    local seen
    seen=$(talk "$forward" "$(printf 'GET %s HTTP/1.1\\r\\nHost: x\\r\\n%s\\r\\n' "$web/none" '' "$web/missing" '' "$web/headers" 'Connection: close\r\n')" | tr -d '\r' | grep '^HTTP/1.1 ')
    echo "$seen"
    [ "$(cut -d' ' -f2 <<<"$seen" | tr '\n' ' ')" = "204 404 200 " ]
}

two_servers() {
    [ "$(through -o /dev/null -w '%{num_connects}' "$web/none" -o /dev/null "http://localhost:$web_port/none" -o /dev/null "$web/none")" = 100 ]
}

# chunks_refused CHUNKS: refused, and what the server got of it is no upload
chunks_refused() {
    rm -f "$work/www/upload/chunks"
    talk_status "$forward" 400 "PUT $web/upload/chunks HTTP/1.1\\r\\nHost: 127.0.0.1:$web_port\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n$1" && [ ! -e "$work/www/upload/chunks" ]
}

# each is refused with 400 and the connection closed, before anything of it reaches the server
smuggling() {
    local chunks head="POST $web/forward HTTP/1.1\\r\\nHost: 127.0.0.1:$web_port\\r\\n" get="GET $web/none HTTP/1.1\\r\\nHost: 127.0.0.1:$web_port\\r\\n"
    check "400: both lengths" talk_status "$forward" 400 "${head}Content-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nG"
    check "400: two different Content-Length" talk_status "$forward" 400 "${head}Content-Length: 5\\r\\nContent-Length: 6\\r\\n\\r\\nhello!"
    check "400: Content-Length that is no number" talk_status "$forward" 400 "${head}Content-Length: +5\\r\\n\\r\\nhello"
    check "400: Transfer-Encoding that does not end in chunked" talk_status "$forward" 400 "${head}Transfer-Encoding: chunked, identity\\r\\n\\r\\n0\\r\\n\\r\\n"
    check "400: Transfer-Encoding with a vertical tab" talk_status "$forward" 400 "${head}Transfer-Encoding: \\x0bchunked\\r\\n\\r\\n0\\r\\n\\r\\n"
    check "400: a space before the colon" talk_status "$forward" 400 "${head}Content-Length : 5\\r\\n\\r\\nhello"
    check "400: a folded header" talk_status "$forward" 400 "${get}X: a\\r\\n b\\r\\n\\r\\n"
    check "400: a bare LF" talk_status "$forward" 400 "GET $web/none HTTP/1.1\\nHost: x\\n\\n"
    check "400: a bare CR in a header" talk_status "$forward" 400 "${get}X: a\\rb\\r\\n\\r\\n"
    check "400: a NUL in a header" talk_status "$forward" 400 "${get}X: a\\x00b\\r\\n\\r\\n"
    check "400: two Host" talk_status "$forward" 400 "${get}Host: other\\r\\n\\r\\n"
    for chunks in 'a sign:+5\r\nhello' 'a negative one:-1\r\nhello' '0x:0x5\r\nhello' 'a space:5 \r\nhello' 'bare LF:5\nhello' 'none:\r\nhello' \
        'seventeen digits:10000000000000005\r\nhello' 'more data than it says:5\r\nhello!' 'data without CR LF behind:5\r\nhelloGET / HTTP/1.1'; do
        check "400: a chunk size with ${chunks%%:*}" chunks_refused "${chunks#*:}\\r\\n0\\r\\n\\r\\n"
    done
    check "501: a coding that is not served" talk_status "$forward" 501 "${head}Transfer-Encoding: gzip, chunked\\r\\n\\r\\n0\\r\\n\\r\\n"
    check "414: a target of 70 KB" talk_status "$forward" 414 "GET $web/$(printf %070000d 0) HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
    check "400: no Host" talk_status "$forward" 400 "GET $web/none HTTP/1.1\\r\\n\\r\\n"
}

forward_suite
