# shellcheck shell=bash
# Shared by the tests of the packages. WORK is the test's directory; API is the collector's address.

WORK=$(mktemp -d /var/tmp/muster-test.XXXXXX)
COLLECTOR= # the process of the collector

step() { printf '%4d s  %s\n' "$SECONDS" "$*"; }

fail() {
	printf 'FAIL: %s\n' "$*" >&2
	exit 1
}

# await repeats a command until it succeeds.
await() {
	local what=$1 limit=${LIMIT:-120} deadline
	deadline=$((SECONDS + limit))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || fail "$what: not within $limit s"
		sleep 0.5
	done
}

# install_missing installs the packages of Debian, each after the command that shows whether it is
# there. It returns 1 if that is not possible.
install_missing() {
	local missing=() command package
	while read -r command package; do
		command -v "$command" >/dev/null || missing+=("$package")
	done
	((${#missing[@]})) || return 0
	if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
		printf 'not installed: %s\n' "${missing[*]}"
		return 1
	fi
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

# start_collector starts a collector with a private database at free ports of the loopback.
start_collector() {
	chmod 0755 "$WORK" # PostgreSQL does not run as root
	bin/muster-collector serve --http-addr 127.0.0.1:0 --grpc-addr 127.0.0.1:0 --metrics-addr '' \
		--data-dir "$WORK/collector" "$@" 2>"$WORK/collector.log" &
	COLLECTOR=$!
	await 'collector' grep -q 'msg=ready' "$WORK/collector.log"
	API=$(sed -n 's/.*msg=ready.* api=\([^ ]*\).*/\1/p' "$WORK/collector.log")
	AGENTS=$(sed -n 's/.*msg=ready.* agents=\([^ ]*\).*/\1/p' "$WORK/collector.log")
	step "a collector at $API"
}

stop_collector() {
	[[ -n $COLLECTOR ]] || return 0
	kill "$COLLECTOR" 2>/dev/null || true
	wait "$COLLECTOR" 2>/dev/null || true
}

# ask requests a path of the API; the arguments before it are curl's.
ask() { curl -fsS -H "Authorization: Bearer $(<"$WORK/collector/admin.token")" "${@:1:$#-1}" "$API/api/v1/${*: -1}"; }

devices() { ask devices | jq -r '.items[].id'; }

# new_token prints an enrollment token and its pin, as JSON.
new_token() { ask -H 'Content-Type: application/json' -d '{"name":"test","max_uses":1,"expires_in":"1h"}' enrollment-tokens; }
