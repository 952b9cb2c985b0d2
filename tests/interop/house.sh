# Three proxy servers, the second with a key and the third with a payload key, for all suites.

"$proxyshell" new-key "$work/p2.key" >/dev/null
"$proxyshell" new-key "$work/p3.key" >/dev/null
PX_KEY=$(cat "$work/p2.key")
export PX_KEY

cat >"$work/servers.json" <<JSON
{
    "proxyServers": [
        { "name": "p1", "udp": true },
        { "name": "p2", "udp": true, "keys": ["file:p2.key"] }, // the key is found beside this file
        { "name": "p3", "udp": true, "payloadKeys": ["file:p3.key"] },
    ],
}
JSON
if ! start_host servers; then
    fail "three proxy servers start" "$work/servers.log"
    echo "$passed passed, $failed failed, $skipped skipped"
    exit 1
fi
p1=$(uri_of servers p1) p2=$(uri_of servers p2) p3=$(uri_of servers p3)
chain=("$p1" "${p2/\/\////env:PX_KEY@}" "$p3")

# listener NAME DESTINATION: an access listener through the three; sets listener_port
listener() {
    cat >"$work/$1.json" <<JSON
{ "accessListeners": [ { "name": "$1", "destination": "$2", "chain": [ "$p1", { "uri": "$p2", "key": "env:PX_KEY" }, "$p3" ] } ] }
JSON
    start_host "$1" && listener_port=$(port_of "$1" "$1")
}
