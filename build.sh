#!/bin/sh
# Builds, tests and shows ProxyShell. Needs the .NET 10 SDK only: where there is PowerShell 7.6 or newer, demo and test are
# handed to build.ps1, which does the same with the real cmdlets and Pester.
set -u
cd "$(dirname "$0")" || exit 1
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1

passed=0 failed=0 skipped=0

say() { printf '%s\n' "$*"; }
die() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }

usage() {
    cat <<'TEXT'
usage: ./build.sh TASK      (or pwsh ./build.ps1 TASK, the same tasks)

  build      compile everything (Release)
  demo       download through three proxy servers and a tunnel on this machine, compare checksums, show a broken hop
  test       all tests; the last line sums them up
  bench      measure beside the peers that are installed; further arguments go to the bench
  package    stage the module in out/ProxyShell and the Host in out/host
  help       this text
TEXT
}

require_sdk() {
    command -v dotnet >/dev/null 2>&1 || die "the .NET 10 SDK is missing: https://dotnet.microsoft.com/download"
    # the Host finds its runtime where this SDK has it, wherever that is
    if [ -z "${DOTNET_ROOT:-}" ]; then
        DOTNET_ROOT=$(dotnet --list-runtimes | sed -n 's|^Microsoft\.NETCore\.App 10\.[^[]*\[\(.*\)/shared/Microsoft\.NETCore\.App\]$|\1|p' | tail -n 1)
        [ -n "$DOTNET_ROOT" ] || die "there is a dotnet but no .NET 10 runtime: https://dotnet.microsoft.com/download"
        export DOTNET_ROOT
    fi
}

limited() { # seconds command...
    seconds=$1; shift
    if command -v timeout >/dev/null 2>&1; then timeout "$seconds" "$@"; else "$@"; fi
}

# sets $pwsh to the words that run PowerShell 7.6 or newer, or to nothing and says why
find_pwsh() {
    pwsh=
    if [ "${PROXYSHELL_PWSH:-}" = none ]; then
        say "PowerShell is not used: PROXYSHELL_PWSH is 'none'."
    elif command -v pwsh >/dev/null 2>&1 && is_new_enough pwsh; then
        pwsh=pwsh
    elif limited 60 dotnet tool restore >/dev/null 2>&1 && is_new_enough "dotnet tool run pwsh --"; then
        pwsh="dotnet tool run pwsh --"
    else
        say "PowerShell 7.6 is not on the PATH and could not be restored as a .NET tool: going on without cmdlets and Pester."
    fi
}

is_new_enough() { # the words are meant to be split
    # shellcheck disable=SC2086
    limited 60 $1 -NoLogo -NoProfile -NonInteractive -Command 'exit [int]($PSVersionTable.PSVersion -lt [version]"7.6")' >/dev/null 2>&1 </dev/null
}

build() {
    dotnet build ProxyShell.sln -c Release --nologo -v quiet || die "the build failed"
}

publish_host() {
    rm -rf out/host
    dotnet publish src/ProxyShell.Host -c Release -o out/host --nologo -v quiet || die "publishing the Host failed"
}

package() {
    rm -rf out/publish out/ProxyShell
    dotnet publish src/ProxyShell -c Release -o out/publish --nologo -v quiet || die "publishing the module failed"
    version=$(sed -n "s/^ *ModuleVersion *= *'\([^']*\)'.*/\1/p" ProxyShell.psd1)
    [ -n "$version" ] || die "ProxyShell.psd1 tells no ModuleVersion"
    stage=out/ProxyShell/$version
    mkdir -p "$stage"
    cp ProxyShell.psd1 LICENSE out/publish/ProxyShell.dll out/publish/ProxyShell.Engine.dll src/ProxyShell/*.ps1xml "$stage/" || die "a file of the module is missing"
    cp -R en-US "$stage/" || die "the module's help (en-US) is missing"
    rm -rf out/publish
    publish_host
    say "module: $stage"
    say "Host:   out/host/proxyshell"
}

demo() {
    find_pwsh
    # shellcheck disable=SC2086
    if [ -n "$pwsh" ]; then exec $pwsh -NoLogo -NoProfile -NonInteractive -File build.ps1 demo; fi
    publish_host
    out/host/proxyshell demo
}

# a suite that fails without saying so, or runs nothing, counts as a failure
count() { # suite passed failed skipped status
    if [ "$3" -eq 0 ] && { [ "$5" -ne 0 ] || [ $(($2 + $4)) -eq 0 ]; }; then
        say "$1: FAILED: it ended with status $5 after $2 passed tests"
        failed=$((failed + 1))
    fi
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
}

skip() { # suite why
    say "$1: skipped: $2"
    skipped=$((skipped + 1))
}

dotnet_suite() { # project
    say "== $1"
    dotnet test "tests/$1" -c Release --no-build --nologo --results-directory out/test --logger "trx;LogFileName=$1.trx" \
        --blame-hang --blame-hang-timeout 5m --blame-hang-dump-type none </dev/null
    status=$?
    counters=$(sed -n 's/.*<Counters \([^>]*\)>.*/\1/p' "out/test/$1.trx" 2>/dev/null | head -n 1)
    total=$(counter total) ok=$(counter passed) bad=$(counter failed)
    count "$1" "$ok" "$bad" $((total - ok - bad)) $status
}

counter() {
    number=$(printf ' %s\n' "$counters" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p")
    printf '%s' "${number:-0}"
}

# what failed, once more where it is not far to look for: the tests' names, and the first lines of why
recall_failures() {
    for results in out/test/*.trx; do
        [ -e "$results" ] || continue
        awk '
            /<UnitTestResult .*outcome="Failed"/ { sub(/.* testName="/, ""); sub(/" computerName=.*/, ""); print "FAILED  " $0; left = 12 }
            left > 0 && /<(Message|StackTrace)>/ { shown = 1 }
            left > 0 && shown { line = $0; gsub(/^ *<(Message|StackTrace)>|<\/(Message|StackTrace)>.*$/, "", line); print "        | " line; left-- }
            /<\/(Message|StackTrace)>/ { shown = 0 }
            /<\/UnitTestResult>/ { left = 0; shown = 0 }' "$results" | sed 's/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&#xD;//g; s/&#xA;/ /g; s/&amp;/\&/g'
    done
    if [ -e out/test/interop.log ]; then awk '/^FAILED/ { on = 1; print; next } on && /^ +\|/ { print; next } { on = 0 }' out/test/interop.log; fi
}

interop_suite() {
    say "== interop"
    command -v bash >/dev/null 2>&1 || { skip interop "bash is not installed"; return; }
    limited 900 bash tests/interop/run.sh out/host/proxyshell </dev/null >out/test/interop.log 2>&1
    status=$?
    cat out/test/interop.log
    line=$(tail -n 1 out/test/interop.log)
    # shellcheck disable=SC2046
    set -- $(printf '%s\n' "$line" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
    count interop "${1:-0}" "${2:-0}" "${3:-0}" $status
}

run_tests() {
    find_pwsh
    # shellcheck disable=SC2086
    if [ -n "$pwsh" ]; then exec $pwsh -NoLogo -NoProfile -NonInteractive -File build.ps1 test; fi
    build
    publish_host
    rm -rf out/test
    mkdir -p out/test
    dotnet_suite ProxyShell.Engine.Tests
    dotnet_suite ProxyShell.Tests
    skip pester "PowerShell is missing"
    interop_suite
    [ "$failed" -eq 0 ] || recall_failures
    say "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}

task=${1:-help}
[ $# -gt 0 ] && shift
case $task in
    build) require_sdk; build ;;
    demo) require_sdk; demo ;;
    test) require_sdk; run_tests ;;
    bench) require_sdk; dotnet run -c Release --project bench/ProxyShell.Bench -- "$@" ;;
    package) require_sdk; package ;;
    help | -h | --help) usage ;;
    *) usage >&2; die "there is no task '$task'" ;;
esac
