# Real clients through chains of three hops, socks5 > relay > http, whose foreign hops are real servers: microsocks, danted and
# ssh -D in front, tinyproxy and squid at the end. Each client enters by the protocol it speaks.

mixed_suite() {
    if ! have curl || [ -z "$web_port" ]; then skip "mixed chains" "curl or nginx is not installed"; return; fi
    head -c 20000000 /dev/urandom >"$work/www/mixed"
    make_repository
    start_peer microsocks; start_peer danted; start_peer tinyproxy; start_peer squid; start_peer ssh_socks
    way microsocks-tinyproxy "$microsocks_port" "$tinyproxy_port" '"credential": "env:PX_LOGIN"' '"credential": null'
    way danted-squid "$danted_port" "$squid_port" '"credential": null' '"credential": { "user": "alice", "password": "file:password" }'
    way ssh-tinyproxy "$ssh_socks_port" "$tinyproxy_port" '"credential": null' '"credential": null'
    [ -z "$tinyproxy_port" ] || last_hop_was_passed tinyproxy "$work/peer-tinyproxy.log"
    [ -z "$squid_port" ] || last_hop_was_passed squid "$squid_home/access.log"
}

make_repository() {
    have git || return
    local tree=$work/tree bare=$work/www/repository.git
    git init -q "$tree" && head -c 300000 /dev/urandom >"$tree/blob" && git -C "$tree" add . || return
    git -C "$tree" -c user.name=test -c user.email=test@example.test commit -q -m 'one blob'
    git clone -q --bare "$tree" "$bare" && git -C "$bare" update-server-info
}

# way NAME SOCKS_PORT HTTP_PORT SOCKS_CREDENTIAL HTTP_CREDENTIAL: every client through this chain
way() {
    local name=$1 socks=$2 http=$3 through
    if [ -z "$socks" ] || [ -z "$http" ]; then skip "clients through $name" "a peer is missing"; return; fi
    printf '%s' "${PX_LOGIN#*:}" >"$work/password"
    chmod 600 "$work/password"
    through='[ { "uri": "socks5://127.0.0.1:'"$socks"'", '"$4"' }, { "uri": "'"$p2"'", "key": "env:PX_KEY" }, { "uri": "http://127.0.0.1:'"$http"'", '"$5"' } ]'
    json "$name" '{ "accessListeners": [ { "name": "open", "chain": '"$through"' } ],
        "proxyServers": [ { "name": "guarded", "protocols": [ "socks5", "http" ], "credentials": [ "env:PX_LOGIN" ], "chain": '"$through"' } ] }'
    start_host "$name" || { fail "an access listener through $name starts" "$work/$name.log"; return; }
    open=127.0.0.1:$(port_of "$name" open) guarded=127.0.0.1:$(port_of "$name" guarded)
    curl_clients "$name"
    git_clients "$name"
    ssh_clients "$name" "$socks" "$http"
    npm_clients "$name"
    proxychains_client "$name"
    end_server "$host_pid"
}

curl_clients() {
    local by=$1 web=http://127.0.0.1:$web_port/mixed named=http://localhost:$web_port/mixed
    check "$by: curl --socks5" mixed_download --socks5 "$open" "$web"
    check "$by: curl --socks5-hostname" mixed_download --socks5-hostname "$open" "$named"
    check "$by: curl --socks4" mixed_download --socks4 "$open" "$web"
    check "$by: curl --socks4a" mixed_download --socks4a "$open" "$named"
    check "$by: curl -x http" mixed_download -x "http://$open" "$named"
    check "$by: curl -x http --proxytunnel" mixed_download -x "http://$open" --proxytunnel "$named"
    check "$by: curl --socks5 with a user" mixed_download --socks5 "$guarded" --proxy-user "$PX_LOGIN" "$web"
    check "$by: curl -x http --proxy-user" mixed_download -x "http://$guarded" --proxy-user "$PX_LOGIN" "$named"
    check "$by: curl --proxytunnel --proxy-user" mixed_download -x "http://$guarded" --proxy-user "$PX_LOGIN" --proxytunnel "$named"
    check "$by: curl uploads 20 MB over SOCKS5" mixed_upload --socks5 "$open"
    check "$by: curl uploads 20 MB over HTTP" mixed_upload -x "http://$open"
    check "$by: ten requests keep one connection to the proxy" kept_alive -x "http://$open" "$named"
}

mixed_download() { proxied -o "$work/mixed" "$@" && same "$work/mixed" "$work/www/mixed"; }

mixed_upload() {
    rm -f "$work/www/upload/mixed"
    proxied -o /dev/null -T "$work/www/mixed" "$@" "http://127.0.0.1:$web_port/upload/mixed" && same "$work/www/upload/mixed" "$work/www/mixed"
}

kept_alive() {
    local url=${*: -1} i more=()
    for i in $(seq 9); do more+=(-r 0-9 -o /dev/null "$url"); done
    [ "$(proxied -w '%{num_connects}' -r 0-9 -o /dev/null "$@" "${more[@]}")" = 1000000000 ]
}

git_clients() {
    have git || { skip "$1: git clone" "git is not installed"; return; }
    check "$1: git clone over http_proxy" clone_by "http://$open"
    check "$1: git clone over socks5h" clone_by "socks5h://$open"
    check "$1: git clone over http_proxy with a user" clone_by "http://$PX_LOGIN@$guarded"
}

clone_by() {
    rm -rf "$work/clone"
    limited env -u no_proxy -u NO_PROXY http_proxy="$1" GIT_TERMINAL_PROMPT=0 git clone -q "http://localhost:$web_port/repository.git" "$work/clone" &&
        same "$work/clone/blob" "$work/tree/blob"
}

ssh_clients() {
    local by=$1 alice=
    if [ -z "$sshd_port" ]; then skip "$by: ssh" "OpenSSH is not installed"; return; fi
    [ "$microsocks_port" != "$2" ] || alice=env:PX_LOGIN@
    local socks=socks5://$alice"127.0.0.1:$2" http=http://127.0.0.1:$3
    [ "$squid_port" != "$3" ] || http=http://env:PX_LOGIN@127.0.0.1:$3
    check "$by: ssh -o ProxyCommand='proxyshell connect'" ssh_by "$proxyshell connect --chain $socks ${chain[1]} $http -- %h:%p"
    check "$by: scp 20 MB over it" scp_by "$proxyshell connect --chain $socks ${chain[1]} $http -- %h:%p"
    if have nc && nc -h 2>&1 | grep -q -- '-X proto'; then
        check "$by: ssh -o ProxyCommand='nc -X 5'" ssh_by "nc -X 5 -x $open %h %p"
        check "$by: ssh -o ProxyCommand='nc -X connect'" ssh_by "nc -X connect -x $open %h %p"
    else
        skip "$by: ssh over nc -X" "an nc that knows -X is not installed"
    fi
}

ssh_by() { [ "$(secure ssh -p "$sshd_port" -o "ProxyCommand=$1" 127.0.0.1 'echo hello; exit 7' </dev/null; echo "$?")" = $'hello\n7' ]; }

scp_by() { secure scp -q -P "$sshd_port" -o "ProxyCommand=$1" "$work/www/mixed" "127.0.0.1:$work/mixed-there" && same "$work/mixed-there" "$work/www/mixed"; }

npm_clients() {
    local by=$1 web=http://localhost:$web_port/mixed
    have_npm || { skip "$by: npm clients" "$why"; return; }
    check "$by: npm socks, version 5" prints_sum npm_script socks connect "socks5://$open" "localhost:$web_port" /mixed
    check "$by: npm socks, version 5 with a user" prints_sum npm_script socks connect "socks5://$PX_LOGIN@$guarded" "localhost:$web_port" /mixed
    check "$by: npm socks, version 4" prints_sum npm_script socks connect "socks4://$open" "127.0.0.1:$web_port" /mixed
    check "$by: npm socks-proxy-agent" prints_sum npm_script agents socks "socks5h://$open" "$web"
    check "$by: npm http-proxy-agent" prints_sum npm_script agents http "http://$PX_LOGIN@$guarded" "$web"
    check "$by: npm https-proxy-agent" prints_sum npm_script agents https "http://$PX_LOGIN@$guarded" "$web"
    check "$by: npm ws over SOCKS5" prints "messages, ping, close" npm_script websocket "socks5h://$open"
    check "$by: npm ws over CONNECT" prints "messages, ping, close" npm_script websocket "connect://$open"
    check "$by: npm ws over a forwarded upgrade" prints "messages, ping, close" npm_script websocket "http://$open"
}

proxychains_client() {
    have proxychains4 || { skip "$1: proxychains4" "it is not installed"; return; }
    printf 'strict_chain\ntcp_read_time_out 15000\n[ProxyList]\nsocks5 %s %s %s %s\n' "${guarded%:*}" "${guarded#*:}" "${PX_LOGIN%%:*}" "${PX_LOGIN#*:}" >"$work/proxychains.conf"
    check "$1: proxychains4 curl" proxychains_download
}

proxychains_download() {
    limited proxychains4 -q -f "$work/proxychains.conf" curl -fsS --noproxy '*' --max-time 100 -o "$work/mixed" "http://127.0.0.1:$web_port/mixed" && same "$work/mixed" "$work/www/mixed"
}

# what the last hop itself has written of the clients
last_hop_was_passed() { check "$1 tells of having been the last hop" grep -qE "CONNECT (127.0.0.1|localhost):$web_port" "$2"; }

mixed_suite
