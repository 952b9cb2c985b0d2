# Striped pipes over links whose connections have caps, and are reset, frozen and refused while real clients are at work. The link is the bench's own.
# PROXYSHELL_INTEROP_LONG=1 lets stripes die for 60 seconds in 1 GiB each way, instead of 15 seconds in 256 MiB.

link_program=$here/../../bench/ProxyShell.Bench/bin/Release/net10.0/ProxyShell.Bench.dll
declare -A link_port=() link_pid=() link_words=()

stripes_suite() {
    local name
    if ! have curl || ! have dotnet || ! have socat || ! have nc || [ -z "$web_port" ]; then skip "stripes that die" "curl, nginx, socat, nc or dotnet is not installed"; return; fi
    [ -f "$link_program" ] || { skip "stripes that die" "the bench, which has the link, is not built"; return; }
    start_peer postgres
    kill_time=$([ -n "${PROXYSHELL_INTEROP_LONG:-}" ] && echo 60 || echo 15)
    [ -s "$work/www/mixed" ] || head -c 20000000 /dev/urandom >"$work/www/mixed"
    head -c 300000 "$work/www/mixed" >"$work/www/some"
    head -c 67108864 /dev/urandom >"$work/www/cut"
    start_ends
    start_striped || { fail "striped pipes over links start" "$work/striped-near.log"; return; }
    check "a stripe dies each second for $kill_time s in $((kill_time * 17895697 >> 20)) MiB each way: checksums equal" killed_transfer
    check "all stripes are silent for 5 s: it goes on, checksum equal" cut_transfer "freeze all" thaw
    check "all stripes are reset, and refused for 5 s: it goes on, checksum equal" cut_transfer down up
    check "two hundred downloads at a time while stripes die, checksums equal" killing web killed_crowd
    check "a client ends first, then reads, while stripes die" killing after client_ends_first
    check "a server ends first, then reads, while stripes die" killing before server_ends_first
    if [ -n "$postgres_port" ]; then
        check "PostgreSQL: 100,000 rows in while stripes die, checksum equal" killing postgres killed_inserts
    else
        skip "PostgreSQL while stripes die" "it is not installed"
    fi
    check "readers that stop cost their windows and no more, and hold up nobody" stalled_readers
    sed 's/^/        | /' "$work/striped.figures"
    end_server "$near_pid"
    for name in "${!link_pid[@]}"; do end_server "${link_pid[$name]}"; done
    end_server "$far_pid"
    rm -f "$work/www/cut"
}

# a server that ends when it has read, and one (for a single client) that ends before
start_ends() {
    after_port=$(free_port) before_port=$(free_port)
    printf 'sha256sum >%s/up.sum; cat %s/www/mixed' "$work" "$work" >"$work/after.sh"
    serve "$work/after.log" socat -t 60 "TCP-LISTEN:$after_port,bind=127.0.0.1,fork,reuseaddr" "EXEC:sh $work/after.sh"
    env --default-signal=INT nc -N -l 127.0.0.1 "$before_port" <"$work/www/mixed" >"$work/up.got" 2>"$work/before.log" &
    pids+=("$!")
    until_true answers "$after_port" && until_true listens "$before_port"
}

# a pipe and a link for each destination; together the four stripes of one carry 18 MB/s each way
start_striped() {
    local name port far=() near=() names=(web after before)
    [ -z "$postgres_port" ] || names+=(postgres)
    for name in "${names[@]}"; do
        port=${name}_port
        far+=("{ \"name\": \"$name\", \"accept\": true, \"key\": \"env:PX_KEY\", \"destination\": \"127.0.0.1:${!port}\" }")
    done
    json striped-far "{ \"stripedPipes\": [ $(IFS=,; echo "${far[*]}") ] }"
    start_host striped-far || return
    far_pid=$host_pid
    for name in "${names[@]}"; do
        start_link "$name" "$(port_of striped-far "$name")" 4.5/5 4.5/5 4.5/5 4.5/5 || return
        near+=("{ \"name\": \"$name\", \"key\": \"env:PX_KEY\", \"peer\": \"127.0.0.1:${link_port[$name]}\" }")
    done
    json striped-near "{ \"stripedPipes\": [ $(IFS=,; echo "${near[*]}") ] }"
    start_host striped-near || return
    near_pid=$host_pid
    : >"$work/striped.figures"
}

# start_link NAME DESTINATION_PORT SHAPE...
start_link() {
    local words log=$work/link-$1.log
    mkfifo "$work/link-$1"
    # open both ways, so that neither end waits for the other
    exec {words}<>"$work/link-$1"
    link_words[$1]=$words
    env --default-signal=INT dotnet "$link_program" link 0 "${@:2}" <"$work/link-$1" >"$log" 2>&1 &
    pids+=("$!")
    link_pid[$1]=$!
    until_true grep -q '^listening on' "$log" || { cat "$log"; return 1; }
    link_port[$1]=$(sed -n 's/^listening on //p' "$log")
}

# tell LINK WORDS...: sets told to the answer
tell() {
    local log=$work/link-$1.log before
    before=$(wc -l <"$log")
    echo "${*:2}" >&"${link_words[$1]}"
    until_true has_more_lines "$log" "$before" || return
    told=$(tail -n 1 "$log")
}

has_more_lines() { [ "$(wc -l <"$1")" -gt "$2" ]; }

striped_web() { echo "http://127.0.0.1:$(port_of striped-near web)/$1"; }

pull() { timeout -k 5 300 curl -fsS --noproxy '*' -o "$2" "$(striped_web "$1")"; }

push() { timeout -k 5 300 curl -fsS --noproxy '*' -T "$1" "$(striped_web "upload/$2")"; }

# killing LINK COMMAND...: resets a stripe of the link three times a second while the command runs
killing() {
    local link=$1 before status killer
    shift
    tell "$link" accepted || return
    before=$told
    (while :; do sleep 0.3; echo "kill any" >&"${link_words[$link]}"; done) &
    killer=$!
    "$@"
    status=$?
    kill "$killer"
    wait "$killer" 2>/dev/null
    tell "$link" accepted || return
    echo "$((told - before)) stripes were dialled again"
    [ "$status" -eq 0 ] && [ "$told" -gt "$before" ]
}

killed_transfer() {
    local down up before second=0
    head -c $((kill_time * 17895697)) /dev/urandom >"$work/www/bulk"
    rm -f "$work/bulk.got" "$work/www/upload/bulk"
    tell web accepted || return
    before=$told
    pull bulk "$work/bulk.got" & down=$!
    push "$work/www/bulk" bulk & up=$!
    while kill -0 "$down" 2>/dev/null || kill -0 "$up" 2>/dev/null; do
        sleep 1
        tell web kill any || return
        second=$((second + 1))
    done
    wait "$down" && wait "$up" || { echo "a transfer ended early"; return 1; }
    tell web accepted || return
    echo "$second s, $((told - before)) stripes dialled again" | tee -a "$work/striped.figures"
    same "$work/bulk.got" "$work/www/bulk" && same "$work/www/upload/bulk" "$work/www/bulk" || return
    rm -f "$work/www/bulk" "$work/bulk.got" "$work/www/upload/bulk"
    [ "$second" -ge $((kill_time - 1)) ] && [ $((told - before)) -ge $((kill_time / 2)) ]
}

# cut_transfer BEGIN END: the link is told the first a second after the transfer has begun, and five seconds later the other
cut_transfer() {
    local down size
    rm -f "$work/cut.got"
    pull cut "$work/cut.got" & down=$!
    sleep 1
    tell web $1 || return
    sleep 1
    size=$(stat -c %s "$work/cut.got")
    sleep 4
    [ "$(stat -c %s "$work/cut.got")" -eq "$size" ] || { echo "it was not cut"; return 1; }
    tell web "$2" || return
    SECONDS=0
    wait "$down" || { echo "ended with $?"; return 1; }
    same "$work/cut.got" "$work/www/cut" || return
    echo "$1 for 5 s after $((size >> 20)) MiB of 64: the rest took $SECONDS s" | tee -a "$work/striped.figures"
}

killed_crowd() {
    local i
    rm -rf "$work/crowd" && mkdir "$work/crowd"
    for i in $(seq 200); do printf 'url = "%s"\noutput = "%s"\n' "$(striped_web some)" "$work/crowd/$i"; done >"$work/crowd.conf"
    fetch --parallel --parallel-immediate --parallel-max 200 --no-progress-meter -K "$work/crowd.conf" || return
    [ "$(sha256sum "$work"/crowd/* | cut -d' ' -f1 | sort | uniq -c | awk '{ print $1, $2 }')" = "200 $(checksum "$work/www/some")" ]
}

client_ends_first() {
    rm -f "$work/up.sum"
    limited nc -N 127.0.0.1 "$(port_of striped-near after)" <"$work/www/mixed" >"$work/ends.got" || return
    same "$work/ends.got" "$work/www/mixed" && [ "$(cut -d' ' -f1 "$work/up.sum")" = "$(checksum "$work/www/mixed")" ]
}

server_ends_first() {
    (exec 5<>"/dev/tcp/127.0.0.1/$(port_of striped-near before)" && limited cat <&5 >"$work/ends.got" && limited cat "$work/www/mixed" >&5) || return
    same "$work/ends.got" "$work/www/mixed" && until_true cmp "$work/up.got" "$work/www/mixed"
}

# a hundred rows a statement, so a thousand round trips; the table as text has the checksum of the rows that were made
killed_inserts() {
    local rows=$work/rows psql=(limited psql -q -X -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$(port_of striped-near postgres)" -U postgres postgres)
    seq 100000 | awk '{ printf "%d|%d-%s\n", $1, $1 * 7919, "some text that makes a row a little longer than its numbers" }' >"$rows"
    {
        echo 'drop table if exists striped; create table striped (id int primary key, words text not null);'
        awk -F'|' '{ printf "%s(%d,\047%s\047)", NR % 100 == 1 ? "insert into striped values " : ",", $1, $2 } NR % 100 == 0 { print ";" }' "$rows"
    } >"$work/rows.sql"
    "${psql[@]}" -f "$work/rows.sql" || return
    "${psql[@]}" -At -c 'select id, words from striped order by id' >"$work/rows.got" && same "$rows" "$work/rows.got" || return
    prints "100000 $(md5sum <"$rows" | cut -d' ' -f1)" "${psql[@]}" -At -F' ' -c "select count(*), md5(string_agg(id || '|' || words || E'\n', '' order by id)) from striped"
}

# forty readers that stop at once and one that stops in full swing: their windows are 16 MiB at most, all together 256 MiB at most
stalled_readers() {
    local i fd port fds=() near far before=() status=0
    port=$(port_of striped-near web)
    before=("$(resident "$near_pid")" "$(resident "$far_pid")")
    for i in $(seq 41); do
        exec {fd}<>"/dev/tcp/127.0.0.1/$port" || return
        fds+=("$fd")
        printf 'GET /cut HTTP/1.0\r\n\r\n' >&"$fd"
        [ "$i" -gt 1 ] || head -c 40000000 <&"$fd" >/dev/null
    done
    sleep 5
    near=$(resident "$near_pid") far=$(resident "$far_pid")
    echo "RSS with 41 readers that stopped: near ${before[0]} to $near MiB, far ${before[1]} to $far MiB" | tee -a "$work/striped.figures"
    [ "$near" -lt 300 ] && [ "$far" -lt 300 ] || status=1
    fetch --max-time 20 -o "$work/mixed" "$(striped_web mixed)" && same "$work/mixed" "$work/www/mixed" || status=1
    for fd in "${fds[@]}"; do exec {fd}>&-; done
    return $status
}

# of a process, in MiB
resident() { echo $(($(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status") / 1024)); }

stripes_suite
