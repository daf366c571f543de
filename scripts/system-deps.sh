#!/bin/sh
# Installs the system libraries that the Python packages need and that are missing: mysqlclient ships no Linux wheels,
# so it is compiled here against the MariaDB client library. As root or through password-less sudo; else prints the
# one command to run and stops.
set -eu

missing=""
need() { # need PACKAGE TEST...: remember PACKAGE when TEST fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
headers() { python3 -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))'; }
client_library() { pkg-config --exists mysqlclient || pkg-config --exists libmariadb || pkg-config --exists mariadb; }

need gcc sh -c 'command -v cc || command -v gcc'
need pkg-config command -v pkg-config
need libmariadb-dev client_library
need python3-dev headers
need python3-venv python3 -c 'import ensurepip, venv'
[ "${1:-}" != --with-client ] || need mariadb-client sh -c 'command -v mariadb || command -v mysql'

[ -n "$missing" ] || exit 0
install="apt-get install -y --no-install-recommends$missing"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "system-deps: this machine lacks what these Debian packages give:$missing" >&2
    echo "system-deps: install the same with this system's package manager, then run make again" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    echo "system-deps: run this once, then make again:" >&2
    echo "    sudo apt-get update && sudo $install" >&2
    exit 1
fi
echo "system-deps: installing$missing" >&2
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive sh -c "apt-get update -qq && $install" >/dev/null
