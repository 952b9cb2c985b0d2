#!/bin/sh
# Installs the npm packages that the interop tests drive into out/npm; does nothing when they are there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=$here/../../../out/npm
command -v npm >/dev/null 2>&1 || { echo "npm is not installed: no tests with npm packages"; exit 1; }
cmp -s "$here/package-lock.json" "$target/node_modules/.installed" 2>/dev/null && exit
mkdir -p "$target"
cp "$here/package.json" "$here/package-lock.json" "$target/"
(cd "$target" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
cp "$here/package-lock.json" "$target/node_modules/.installed"
