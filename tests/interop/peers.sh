# Foreign servers with configurations of their own, on loopback and ports of their own. Each start_… sets its port and returns 0 when the
# peer answers, 2 when its program is missing.

# peer NAME PORT COMMAND...: serves, and waits until the port answers
peer() {
    local name=$1 port=$2
    shift 2
    serve "$work/peer-$name.log" "$@"
    until_true answers "$port"
}

web_port= proxied_web_port= haproxy_port= microsocks_port= danted_port= tinyproxy_port= squid_port= sshd_port= ssh_socks_port= dnsmasq_port= redis_port= postgres_port=

# start_peer NAME [ARGUMENT]: starts it once; a peer that cannot be had is a counted skip, and its port stays empty
start_peer() {
    local port=$1_port
    [ -z "${!port}" ] || return 0
    "start_$1" "${@:2}" && return
    if [ $? -eq 2 ]; then skip "$1" "it is not installed"; else fail "$1 starts" "$work/peer-$1.log"; fi
    eval "$port="
}

# PX_LOGIN is the one user that peers with authentication know
PX_LOGIN=alice:wonder-land
export PX_LOGIN

start_web() {
    have nginx || return 2
    web_port=$(free_port) proxied_web_port=$(free_port) gate_port=$(free_port)
    mkdir -p "$work/www" "$work/nginx"
    cat >"$work/nginx/nginx.conf" <<CONF
$([ "$(id -u)" -eq 0 ] && echo 'user root;')
daemon off;
pid $work/nginx/pid;
error_log stderr;
events { worker_connections 512; }
http {
    access_log off;
    keepalive_requests 100000;
    client_max_body_size 1g;
    client_body_temp_path $work/nginx/body; proxy_temp_path $work/nginx/proxy; fastcgi_temp_path $work/nginx/fastcgi;
    uwsgi_temp_path $work/nginx/uwsgi; scgi_temp_path $work/nginx/scgi;
    server {
        listen 127.0.0.1:$web_port;
        root $work/www;
        location = /client { default_type text/plain; return 200 "\$remote_addr \$remote_port\n"; }
        location /zipped/ { alias $work/www/; gzip on; gzip_types *; gzip_comp_level 1; gzip_proxied any; }
        location /listing/ { alias $work/www/; autoindex on; }
        # takes any body into a file, and tells which
        location = /post {
            client_body_in_file_only on;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header X-Body \$request_body_file;
            proxy_pass http://127.0.0.1:$web_port/posted;
        }
        location = /posted { default_type text/plain; return 200 "\$http_x_body\n"; }
        location = /forwarded { default_type text/plain; return 200 "\$http_x_forwarded_for|\$http_x_forwarded_proto|\$http_x_forwarded_host|\$http_forwarded|\$http_host\n"; }
        location /page/ { types { text/html html; text/css css; text/javascript js; image/svg+xml svg; } }
        location /upload/ { dav_methods PUT; create_full_put_path on; }
        # a relay hop behind a web server
        location = /gate {
            proxy_pass http://127.0.0.1:$gate_port;
            proxy_http_version 1.1;
            proxy_set_header Upgrade \$http_upgrade;
            proxy_set_header Connection upgrade;
        }
        location = /none { return 204; }
        location = /headers { default_type text/plain; return 200 "\$http_connection|\$http_proxy_connection|\$http_proxy_authorization|\$http_x_secret|\$http_x_kept\n"; }
    }
    # wants a PROXY header, of either version
    server {
        listen 127.0.0.1:$proxied_web_port proxy_protocol;
        location / { default_type text/plain; return 200 "\$proxy_protocol_addr \$proxy_protocol_port\n"; }
    }
}
CONF
    peer web "$web_port" nginx -p "$work/nginx" -c "$work/nginx/nginx.conf"
}

# in front of and behind listeners: adds PROXY headers of both versions towards the ports given, and expects them before $web_port
start_haproxy() { # TARGET
    have haproxy || return 2
    haproxy_v1_port=$(free_port) haproxy_v2_port=$(free_port) haproxy_port=$(free_port)
    cat >"$work/haproxy.cfg" <<CONF
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend v1
    bind 127.0.0.1:$haproxy_v1_port
    default_backend v1
frontend v2
    bind 127.0.0.1:$haproxy_v2_port
    default_backend v2
frontend expects
    bind 127.0.0.1:$haproxy_port accept-proxy
    mode http
    http-request return status 200 content-type text/plain lf-string "%[src] %[src_port]"
backend v1
    server one 127.0.0.1:$1 send-proxy
backend v2
    server one 127.0.0.1:$1 send-proxy-v2
CONF
    peer haproxy "$haproxy_port" haproxy -db -f "$work/haproxy.cfg"
}

# a SOCKS5 server that wants the login
start_microsocks() {
    have microsocks || return 2
    microsocks_port=$(free_port)
    peer microsocks "$microsocks_port" microsocks -i 127.0.0.1 -p "$microsocks_port" -u "${PX_LOGIN%%:*}" -P "${PX_LOGIN#*:}"
}

# a SOCKS4 and SOCKS5 server without authentication, with BIND and UDP ASSOCIATE
start_danted() {
    have danted || return 2
    danted_port=$(free_port)
    cat >"$work/danted.conf" <<CONF
logoutput: stderr
internal: 127.0.0.1 port = $danted_port
external: lo
clientmethod: none
socksmethod: none
$([ "$(id -u)" -eq 0 ] && printf 'user.privileged: root\nuser.unprivileged: nobody')
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 command: bind connect udpassociate bindreply udpreply
             log: connect }
CONF
    peer danted "$danted_port" danted -N 1 -f "$work/danted.conf"
}

# an HTTP proxy without authentication
start_tinyproxy() {
    have tinyproxy || return 2
    tinyproxy_port=$(free_port)
    cat >"$work/tinyproxy.conf" <<CONF
Port $tinyproxy_port
Listen 127.0.0.1
Timeout 600
MaxClients 1000
LogLevel Connect
CONF
    peer tinyproxy "$tinyproxy_port" tinyproxy -d -c "$work/tinyproxy.conf"
}

# an HTTP proxy that wants the login
start_squid() {
    local auth
    auth=$(ls /usr/lib/squid/basic_ncsa_auth /usr/lib64/squid/basic_ncsa_auth /usr/libexec/squid/basic_ncsa_auth 2>/dev/null | head -n 1)
    [ -n "$auth" ] && have openssl || return 2
    squid_port=$(free_port)
    # it gives up root, and must still read its files and write its log
    squid_home=$(mktemp -d "${TMPDIR:-/tmp}/proxyshell-squid.XXXXXX")
    chmod 777 "$squid_home"
    printf '%s:%s\n' "${PX_LOGIN%%:*}" "$(openssl passwd -apr1 "${PX_LOGIN#*:}")" >"$squid_home/users"
    cat >"$squid_home/squid.conf" <<CONF
http_port 127.0.0.1:$squid_port
auth_param basic program $auth $squid_home/users
auth_param basic children 1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
access_log stdio:$squid_home/access.log
cache_log stdio:/dev/stderr
cache_store_log none
pid_filename none
shutdown_lifetime 0 seconds
pinger_enable off
icp_port 0
coredump_dir $squid_home
CONF
    peer squid "$squid_port" squid -N -f "$squid_home/squid.conf"
}

# OpenSSH's server for the user who runs the tests
start_sshd() {
    local sshd
    sshd=$(command -v sshd)
    [ -n "$sshd" ] && have ssh && have ssh-keygen || return 2
    sshd_port=$(free_port)
    mkdir -p "$work/ssh"
    [ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
    ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/host" && ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/user"
    cp "$work/ssh/user.pub" "$work/ssh/authorized"
    cat >"$work/ssh/sshd_config" <<CONF
ListenAddress 127.0.0.1:$sshd_port
HostKey $work/ssh/host
AuthorizedKeysFile $work/ssh/authorized
StrictModes no
UsePAM no
PidFile none
PermitRootLogin prohibit-password
PasswordAuthentication no
MaxStartups 100
Subsystem sftp internal-sftp
CONF
    cat >"$work/ssh/config" <<CONF
Host *
    IdentityFile $work/ssh/user
    IdentitiesOnly yes
    UserKnownHostsFile $work/ssh/known
    StrictHostKeyChecking accept-new
    BatchMode yes
    LogLevel ERROR
CONF
    peer sshd "$sshd_port" "$sshd" -D -e -f "$work/ssh/sshd_config"
}

# secure PROGRAM ARGUMENTS...: ssh or scp with the key and the known hosts of this sshd
secure() { local program=$1; shift; limited "$program" -F "$work/ssh/config" "$@"; }

# OpenSSH as a SOCKS server: ssh -D into our own sshd
start_ssh_socks() {
    [ -n "${sshd_port:-}" ] || return 2
    ssh_socks_port=$(free_port)
    peer ssh-socks "$ssh_socks_port" ssh -F "$work/ssh/config" -N -p "$sshd_port" -D "127.0.0.1:$ssh_socks_port" 127.0.0.1
}

# a DNS server, over UDP and TCP, that knows host.test and big.test (a long answer)
start_dnsmasq() {
    have dnsmasq || return 2
    dnsmasq_port=$(free_port)
    cat >"$work/dnsmasq.conf" <<CONF
port=$dnsmasq_port
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
keep-in-foreground
log-facility=-
pid-file
$([ "$(id -u)" -eq 0 ] && echo 'user=root')
edns-packet-max=4096
address=/host.test/192.0.2.77
$(for i in $(seq 8); do printf 'txt-record=big.test,"%0200d"\n' "$i"; done)
CONF
    peer dnsmasq "$dnsmasq_port" dnsmasq -C "$work/dnsmasq.conf"
}

# a database in memory
start_redis() {
    have redis-server && have redis-cli || return 2
    redis_port=$(free_port)
    peer redis "$redis_port" redis-server --bind 127.0.0.1 --port "$redis_port" --save '' --appendonly no --dir "$work"
}

# PostgreSQL, which does not run as root
start_postgres() {
    local bin home as=()
    have psql && have pgbench || return 2
    bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
    [ -x "$bin/initdb" ] || return 2
    if [ "$(id -u)" -eq 0 ]; then
        id postgres >/dev/null 2>&1 && have setpriv || return 2
        as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    fi
    postgres_port=$(free_port)
    postgres_home=$(mktemp -d "${TMPDIR:-/tmp}/proxyshell-postgres.XXXXXX") home=$postgres_home
    [ "$(id -u)" -ne 0 ] || chown postgres "$home"
    (cd "$home" && "${as[@]}" "$bin/initdb" -D "$home/data" -U postgres -A trust --no-sync) >"$work/peer-postgres.log" 2>&1 || return 1
    peer postgres "$postgres_port" env -C "$home" "${as[@]}" "$bin/postgres" -D "$home/data" -p "$postgres_port" -k "$home" -c listen_addresses=127.0.0.1 -c fsync=off
}

# ask PORT ARGUMENTS...: what dig has to say; and what dnsmasq is known to answer
ask() { limited dig @127.0.0.1 -p "$1" +time=5 +tries=3 +short "${@:2}"; }

dig_answers() { [ "$(ask "$1" +notcp host.test)" = 192.0.2.77 ]; }

dig_long() { [ "$(ask "$1" "$2" +bufsize=4096 +ignore TXT big.test | tr -d '" \n' | wc -c)" -eq 1600 ]; }

dig_many() {
    local i jobs=()
    for i in $(seq 100); do printf 'host.test\n'; done >"$work/questions"
    for i in $(seq 4); do
        ask "$1" +notcp -f "$work/questions" >"$work/answers$i" &
        jobs+=("$!")
    done
    for i in "${jobs[@]}"; do wait "$i" || return 1; done
    [ "$(cat "$work"/answers[1-4] | grep -cx 192.0.2.77)" -eq 400 ]
}

# node NAME ARGUMENTS...: runs one of the scripts in npm/ beside the packages that .ci/run has installed
npm_script() {
    local script=$1
    shift
    limited node "$work/npm/$script.mjs" "$@"
}

# whether the packages are there; says why not in why
have_npm() {
    have node || { why="node is not installed"; return 1; }
    [ -d "$npm_modules" ] || { why="the npm packages are not installed (tests/interop/npm/install.sh)"; return 1; }
    [ -e "$work/npm/node_modules" ] && return
    cp -R "$here/npm" "$work/npm" && ln -s "$npm_modules" "$work/npm/node_modules"
}
