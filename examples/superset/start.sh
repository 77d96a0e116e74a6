#!/bin/sh
# start.sh STORE [PORT]: imports the dashboard once, then serves it on 127.0.0.1. `superset` must be on the PATH.
# Superset's own files, with a generated password, are in SUPERSET_HOME (default ~/.superset-vcq).
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
store=$(cd "${1:?the folder of a store of vcq-etl}" && pwd)
port=${2:-8088}
export SUPERSET_HOME="${SUPERSET_HOME:-$HOME/.superset-vcq}" SUPERSET_CONFIG_PATH="$here/superset_config.py"
export FLASK_APP="superset.app:create_app()"
mkdir -p "$SUPERSET_HOME"
cd "$SUPERSET_HOME"

random() {
    python -c "import secrets; print(secrets.token_urlsafe($1))"
}

if [ ! -e imported ]; then
    [ -e secret_key ] || random 42 > secret_key
    [ -e password ] || random 12 > password
    superset db upgrade
    superset fab create-admin --username admin --firstname vcq --lastname etl --email admin@localhost --password "$(cat password)"
    superset init
    rm -rf dashboard dashboard.zip
    cp -r "$here/dashboard" dashboard
    sed -i.orig "s|/path/of/the/store|$store|" dashboard/databases/vcq.yaml
    rm dashboard/databases/vcq.yaml.orig
    python -m zipfile -c dashboard.zip dashboard/
    superset import-dashboards --path dashboard.zip --username admin
    touch imported
fi
echo "http://127.0.0.1:$port/superset/dashboard/meeting-quality/  user admin, password in $SUPERSET_HOME/password"
exec superset run --host 127.0.0.1 --port "$port" --with-threads
