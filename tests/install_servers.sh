#!/bin/sh
# Installs the servers that tests start and pip does not bring: redis-server, and Azurite into .servers/.
# What cannot be installed here is told; its tests are then skipped, each by name.
set -u
cd "$(dirname "$0")/.." || exit 1

if ! command -v redis-server >/dev/null; then
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        # A database that nobody asked to run: only its program is wanted.
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends redis-server; } >/dev/null
    fi
    command -v redis-server >/dev/null || echo "redis-server is not installed: 'apt install redis-server', 'brew install redis' or the like brings it"
fi

if ! [ -x .servers/node_modules/.bin/azurite-blob ]; then
    if command -v npm >/dev/null; then
        npm install --silent --no-fund --no-audit --no-save --prefix .servers azurite@3.35.0 || echo "npm could not install Azurite"
    else
        echo "npm is not installed, which brings Azurite"
    fi
fi
exit 0
