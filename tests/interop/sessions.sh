# Sessions with the npm package nerdbank-streams, in all versions of the protocol: it offers and we accept, and the other way round.

session_peer=$here/../ProxyShell.SessionPeer/bin/Release/net10.0/ProxyShell.SessionPeer.dll

sessions_suite() {
    local version why
    have_npm || { skip "sessions with npm nerdbank-streams" "$why"; return; }
    [ -d "$npm_modules/nerdbank-streams" ] || { skip "sessions with npm nerdbank-streams" "it is not installed (tests/interop/npm/install.sh)"; return; }
    have dotnet && [ -f "$session_peer" ] || { skip "sessions with npm nerdbank-streams" "tests/ProxyShell.SessionPeer is not built (./build.sh build)"; return; }
    for version in 1 2 3; do both_ways "$version" 102400; done
    # version 1 has no windows
    for version in 2 3; do both_ways "$version" 64; done
}

both_ways() { # VERSION WINDOW
    serve "$work/session-peer" node "$work/npm/sessions.mjs" serve "$1" "$2"
    check "version $1, windows of $2: we offer to nerdbank-streams" drives "$1" "$2" dotnet "$session_peer"
    serve "$work/session-peer" dotnet "$session_peer" serve "$1" "$2"
    check "version $1, windows of $2: nerdbank-streams offers to us" drives "$1" "$2" node "$work/npm/sessions.mjs"
}

# drives VERSION WINDOW DRIVER...: against the server whose port is the first line of its log
drives() {
    until_true test -s "$work/session-peer" || return
    limited "${@:3}" drive "$1" "$2" "$(head -n 1 "$work/session-peer")" && ended "${pids[-1]}" && return
    cat "$work/session-peer"
    return 1
}

sessions_suite
