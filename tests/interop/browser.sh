# A real browser, Chromium without a screen: a page with 50 assets that nginx serves and a WebSocket that npm ws holds, through a gateway and agents.

browser_suite() {
    local why port chromium
    chromium=$(command -v chromium || command -v chromium-browser) || { skip "a browser through a tunnel" "chromium is not installed"; return; }
    [ -n "$web_port" ] || { skip "a browser through a tunnel" "nginx is not installed"; return; }
    have_npm || { skip "a browser through a tunnel" "$why"; return; }
    serve "$work/reports" node "$work/npm/tunnels.mjs" serve
    until_true test -s "$work/reports" || { fail "a WebSocket server starts" "$work/reports"; return; }
    port=$(head -n 1 "$work/reports")
    start_gateway || { fail "a gateway for a browser starts" "$work/gate.log"; return; }
    json browsed '{ "tunnels": [
        { "name": "page", "destination": "http://127.0.0.1:'"$web_port"'", "hostName": "page", '"$(tunnel_agent)"' },
        { "name": "sockets", "destination": "http://127.0.0.1:'"$port"'", "hostName": "sockets", '"$(tunnel_agent)"' } ] }'
    start_agents browsed || { fail "agents for a browser start" "$work/browsed.log"; return; }
    page_with_assets
    # nothing outside is asked for anything
    serve "$work/chromium.log" "$chromium" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --no-proxy-server --disable-sync --no-pings \
        --disable-background-networking --disable-component-update --disable-default-apps --disable-domain-reliability --disable-extensions \
        --host-resolver-rules="MAP *.localhost 127.0.0.1, MAP * ~NOTFOUND" --user-data-dir="$work/chromium" --remote-debugging-port=0 "http://page.localhost:$public_port/page/"
    check "a browser loads a page with 50 assets and holds a WebSocket" browser_reports
    end_server "${pids[-1]}"
    end_server "$agents_pid"
    end_server "$gate_pid"
}

# 20 scripts, 10 style sheets and 20 pictures; the last word is the WebSocket's, after a hundred echoes
page_with_assets() {
    local i
    mkdir -p "$work/www/page"
    {
        echo '<!doctype html><meta charset="utf-8"><title>assets</title><script>var scripts = 0, echoes = 0;</script>'
        for i in $(seq 10); do
            printf '#a%d { width: %dpx }\n/* %s */\n' "$i" "$((100 + i))" "$(head -c 3000 /dev/urandom | base64 -w 0)" >"$work/www/page/$i.css"
            echo "<link rel=stylesheet href=$i.css><div id=a$i></div>"
        done
        for i in $(seq 20); do
            printf 'scripts++; // %s\n' "$(head -c 20000 /dev/urandom | base64 -w 0)" >"$work/www/page/$i.js"
            printf '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="7"><!-- %s --></svg>' "$i" "$(head -c 9000 /dev/urandom | base64 -w 0)" >"$work/www/page/$i.svg"
            echo "<script src=$i.js></script><img src=$i.svg>"
        done
        cat <<HTML
<script>
addEventListener('load', () => {
  const sheets = [...document.querySelectorAll('div')].filter((div, i) => div.offsetWidth === 101 + i).length;
  const pictures = [...document.images].filter((image, i) => image.naturalWidth === i + 1).length;
  const socket = new WebSocket('ws://sockets.localhost:$public_port/');
  socket.onopen = () => socket.send('echo 0');
  socket.onmessage = (event) => {
    if (event.data !== 'echo ' + echoes) socket.send('report a wrong echo: ' + event.data);
    else if (++echoes < 100) socket.send('echo ' + echoes);
    else socket.send('report ' + scripts + ' scripts, ' + sheets + ' style sheets, ' + pictures + ' pictures, ' + echoes + ' echoes');
  };
});
</script>
HTML
    } >"$work/www/page/index.html"
}

browser_reports() {
    for _ in 1 2 3; do until_true grep -q '^report' "$work/reports" && break; done
    cat "$work/reports" "$work/chromium.log"
    grep -qx 'report 20 scripts, 10 style sheets, 20 pictures, 100 echoes' "$work/reports"
}

browser_suite
