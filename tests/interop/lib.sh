# What the interop suites share: counting, servers and their end, ports. Sourced by run.sh.

passed=0 failed=0 skipped=0
pids=()

pass() { printf 'ok      %s\n' "$1"; passed=$((passed + 1)); }

fail() { # name [file with what was seen]
    printf 'FAILED  %s\n' "$1"
    failed=$((failed + 1))
    if [ -s "${2:-}" ]; then sed 's/^/        | /' "$2" | tail -n 20; fi
}

skip() { printf 'skipped %s: %s\n' "$1" "$2"; skipped=$((skipped + 1)); }

# check NAME COMMAND...: passes when the command does, within two minutes; what it prints is shown when it fails
check() {
    local name=$1 seen=$work/seen
    shift
    if "$@" >"$seen" 2>&1; then pass "$name"; else fail "$name" "$seen"; fi
}

fails() { ! "$@"; }

have() { command -v "$1" >/dev/null 2>&1; }

limited() { timeout -k 5 120 "$@"; }

# serve LOG COMMAND...: runs a server in the background; it is ended by its process id when the suite ends
serve() {
    local log=$1
    shift
    # what a shell starts in the background ignores Ctrl+C unless told otherwise
    env --default-signal=INT "$@" >"$log" 2>&1 </dev/null &
    pids+=("$!")
}

# end_server PID: asks it to stop, waits, and takes it off the list
end_server() {
    kill "$1" 2>/dev/null
    for _ in $(seq 50); do kill -0 "$1" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}

clean_up() {
    local pid
    for pid in "${pids[@]}"; do end_server "$pid"; done
    rm -rf "$work" ${squid_home:+"$squid_home"} ${postgres_home:+"$postgres_home"}
}

# ended PID: waits until it has ended, at most 20 seconds
ended() { until_true is_gone "$1"; }

is_gone() { ! kill -0 "$1"; }

# until_true COMMAND...: waits up to 20 seconds for it to hold
until_true() {
    for _ in $(seq 200); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    return 1
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# listens PORT: as answers, but without connecting: by the system's own table
listens() { grep -q ":$(printf '%04X' "$1") 00000000:0000 0A" /proc/net/tcp; }

# for peers that cannot choose a port themselves
free_port() {
    local port
    port=$(cat "$work/last_port" 2>/dev/null) || port=$((20000 + RANDOM % 12000))
    while :; do
        port=$((port < 31999 ? port + 1 : 20000))
        answers "$port" || break
    done
    # none twice: the one it was for may not listen yet
    echo "$port" >"$work/last_port"
    echo "$port"
}

# start_host NAME: runs $work/NAME.json and waits until all of it listens; sets host_pid
start_host() {
    serve "$work/$1.log" "$proxyshell" run --config "$work/$1.json" --log-level debug
    host_pid=${pids[-1]}
    until_true grep -q "listening on .*://" "$work/$1.log" && until_true all_listen "$1"
}

all_listen() { [ "$(grep -c '^[^ ]*: listening on' "$work/$1.log")" -eq "$(grep -o '"name"' "$work/$1.json" | wc -l)" ]; }

# uri_of HOST NAME: what a service of a running Host is reached by
uri_of() { sed -n "s|^$2: listening on \([^ ]*\).*|\1|p" "$work/$1.log"; }

port_of() { uri_of "$1" "$2" | sed 's/.*://'; }

checksum() { sha256sum "$1" | cut -d' ' -f1; }

same() { [ "$(checksum "$1")" = "$(checksum "$2")" ] || { echo "$1 and $2 differ"; return 1; }; }

# says STATUS TEXT COMMAND...: the command ends with the status and its standard error holds the text
says() {
    local status=$1 text=$2 seen
    shift 2
    limited "$@" >"$work/out" 2>"$work/err" </dev/null
    seen=$?
    cat "$work/out" "$work/err"
    [ "$seen" -eq "$status" ] || { echo "ended with $seen, not $status"; return 1; }
    grep -qF -- "$text" "$work/err" || { echo "does not say: $text"; return 1; }
}

absent() { ! grep -qF -- "$1" "$2"; }

json() { printf '%s' "$2" >"$work/$1.json"; }

# fetch CURL_ARGUMENTS...: past every proxy; proxied: through the one that the arguments name
fetch() { limited curl -fsS --noproxy '*' --max-time 100 "$@"; }

proxied() { limited env -u no_proxy -u NO_PROXY curl -fsS --noproxy '' --max-time 100 "$@"; }

# prints TEXT COMMAND...: the command prints this and nothing else
prints() {
    local text=$1 seen
    shift
    seen=$("$@") && [ "$seen" = "$text" ] || { echo "printed: $seen"; return 1; }
}

# the checksum of a file of 20 MB that suites download
prints_sum() { prints "$(checksum "$work/www/mixed")" "$@"; }

# talk PORT FORMAT: says the bytes that printf makes of it, and prints what comes back until the end, at most 10 seconds
talk() {
    exec 5<>"/dev/tcp/127.0.0.1/$1" || return
    printf "$2" >&5
    timeout 10 cat <&5
    local status=$?
    exec 5>&-
    return $status
}

# talk_status PORT STATUS FORMAT: the answer has the status, and the connection is closed
talk_status() {
    local seen
    seen=$(talk "$1" "$3") || { echo "not closed: $seen"; return 1; }
    echo "$seen"
    [[ $seen == "HTTP/1.1 $2 "* ]]
}

mixed_fetch() { fetch -o "$work/mixed" "$1" && same "$work/mixed" "$work/www/mixed"; }
