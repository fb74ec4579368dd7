#!/usr/bin/env bash
# Builds a macOS package of the agent: pkg.sh PROGRAM MANUAL.1.gz VERSION OUT.pkg. All times in it
# are SOURCE_DATE_EPOCH. The package is not signed.
set -euo pipefail
PROGRAM=$1 MANUAL=$2 VERSION=$3 OUT=$4
HERE=$(dirname "${BASH_SOURCE[0]}")
ROOT=$PROGRAM.root
SCRIPTS=$PROGRAM.scripts
trap 'rm -rf "$ROOT" "$SCRIPTS"' EXIT

put() { install -D -m "$1" "$2" "$ROOT/$3"; }
put 0755 "$PROGRAM" opt/muster/bin/muster-agent
put 0755 "$HERE/muster-uninstall" opt/muster/bin/muster-uninstall
put 0644 "$MANUAL" opt/muster/share/man/man1/muster-agent.1.gz
put 0644 "$HERE/muster-agent.plist" Library/LaunchDaemons/muster-agent.plist
echo /opt/muster/bin | put 0644 /dev/stdin private/etc/paths.d/muster-agent # the PATH of shells
# The modes in a checkout depend on the umask.
cp -r "$HERE/scripts" "$SCRIPTS"
chmod 0755 "$SCRIPTS" "$SCRIPTS"/*
find "$ROOT" -type d -exec chmod 0755 {} +
go run "./$HERE/macpkg" "$ROOT" "$SCRIPTS" org.muster.agent "$VERSION" "$OUT"
