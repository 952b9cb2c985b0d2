# What the suites of tunnels share: a gateway for HTTP, and agents of it.

# a gateway in a process of its own, whose names end in .localhost; sets gate_pid, control_port, public_port and silence
start_gateway() {
    silence=$([ -n "${PROXYSHELL_INTEROP_LONG:-}" ] && echo 20 || echo 4)
    control_port=$(free_port) public_port=$(free_port)
    new_identity
    rm -f "$work/gate.state"
    json gate '{ "tunnelGateways": [ { "name": "gate", "localPort": '"$control_port"', "httpPort": '"$public_port"', "authorizedKeysFile": "agent.thumbprint",
        "stateFile": "gate.state", "silenceLimit": '"$silence"', "http": { "accessLog": { "path": "access.log", "format": "combined" } } } ] }'
    start_host gate && gate_pid=$host_pid
}

new_identity() { [ -s "$work/agent.pem" ] || "$proxyshell" new-identity "$work/agent.pem" >"$work/agent.thumbprint"; }

# the properties with which an agent finds that gateway
tunnel_agent() { printf '"gateway": "tunnel://127.0.0.1:%s", "identityFile": "agent.pem", "silenceLimit": %s' "$control_port" "$silence"; }

# start_agents NAME: runs $work/NAME.json and waits until all of its tunnels are published; sets agents_pid
start_agents() {
    serve "$work/$1.log" "$proxyshell" run --config "$work/$1.json" --log-level debug
    agents_pid=${pids[-1]}
    until_true all_published "$1"
}

all_published() { [ "$(grep -c '^[^ ]*: [^ ]* leads to ' "$work/$1.log")" -eq "$(grep -o '"name"' "$work/$1.json" | wc -l)" ]; }
