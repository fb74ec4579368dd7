#!/usr/bin/env bash
# Installs the deb packages in a Debian that systemd-nspawn boots, without a network, and checks
# their life: enabled at boot, enrolled, synced, restarted after a crash, the same device after a
# reboot and an upgrade, gone after a purge. It also installs and removes the rpm packages in a file
# system with a database of rpm. Start reading at the calls at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

((EUID == 0)) || { echo 'this test needs root: it boots a container' >&2; exit 1; }

# shellcheck source=installers/testing.sh
. installers/testing.sh
IMAGE=bin/cache/bookworm.tar
ROOT=$WORK/root
NSPAWN= # the process of the container
API=http://127.0.0.1:8080/api/v1

# image makes the file system of the container once. The collector runs its own PostgreSQL.
image() {
	[[ -e $IMAGE ]] && return
	mkdir -p "$(dirname "$IMAGE")"
	# shellcheck disable=SC2016 # mmdebstrap's shell expands $1
	mmdebstrap --quiet --variant=minbase --mode=root --aptopt='Apt::Install-Recommends "false"' \
		--dpkgopt=force-unsafe-io --dpkgopt=force-confold \
		--include=systemd,systemd-sysv,dbus,curl,jq,procps,postgresql-15 \
		--essential-hook='mkdir -p "$1/etc/postgresql-common"' \
		--essential-hook='echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
		--customize-hook='rm -f "$1/var/lib/dbus/machine-id" "$1/etc/machine-id"; touch "$1/etc/machine-id"' \
		--customize-hook='chroot "$1" systemctl disable --quiet systemd-networkd.service || true' \
		bookworm "$IMAGE.new.tar"
	mv "$IMAGE.new.tar" "$IMAGE"
}

finish() {
	local status=$?
	if ((status)) && [[ -n $NSPAWN ]]; then
		inside journalctl --no-pager -n 40 -u muster-agent -u muster-collector || true
	fi
	if [[ -n $NSPAWN ]]; then
		kill -KILL "$(leader)" 2>/dev/null || true
		wait "$NSPAWN" 2>/dev/null || true
	fi
	mountpoint -q /run/systemd/nspawn && [[ -e $WORK/mounted ]] && umount /run/systemd/nspawn
	rm -rf "$WORK"
	exit "$status"
}

leader() { pgrep -P "$NSPAWN"; }

inside() { nsenter -t "$(leader)" -m -u -i -p -n -- "$@"; }

boot() {
	systemd-nspawn --quiet -D "$ROOT" --register=no --keep-unit --boot --console=pipe --private-network \
		</dev/null >>"$WORK/console" 2>&1 &
	NSPAWN=$!
	await 'container' leader
	await 'boot' inside systemctl is-active multi-user.target
}

# halt waits for the end of the container, which it expects to have the given exit code.
halt() {
	local want=$1 status=0
	wait "$NSPAWN" || status=$?
	NSPAWN=
	((status == want)) || fail "the container ended with $status, not $want"
}

ask_inside() { inside sh -c 'exec curl -fsS -H "Authorization: Bearer $(cat /var/lib/muster-collector/admin.token)" "$@"' sh "$@"; }

devices() { ask_inside "$API/devices" | jq -r '.items[].id'; }

status_of() { inside muster-agent status --output json; }

gone() { # of program NAME
	local path
	for path in "/usr/bin/$1" "/lib/systemd/system/$1.service" "/etc/systemd/system/multi-user.target.wants/$1.service" \
		"/etc/systemd/system/$1.service" "/var/lib/$1" "/var/lib/private/$1" "/etc/muster/${1#muster-}.env" \
		"/usr/share/man/man1/$1.1.gz" "/usr/share/bash-completion/completions/$1"; do
		[[ ! -e $ROOT/$path && ! -L $ROOT/$path ]] || fail "purge left $path"
	done
	! inside pgrep -x "${1:0:15}" >/dev/null || fail "$1 still runs"
	! inside grep -q "^$1:" /etc/passwd || fail "purge left the user $1"
}

test_install() {
	step 'the collector is installed offline and enabled'
	cp bin/packages/muster-collector_*.deb "$ROOT/collector.deb"
	cp bin/packages/muster-agent_*.deb "$ROOT/agent.deb"
	chroot "$ROOT" dpkg -i /collector.deb >/dev/null 2>&1
	[[ -L $ROOT/etc/systemd/system/multi-user.target.wants/muster-collector.service ]] || fail 'the collector is not enabled'
	boot
	await 'collector' inside curl -fsS http://127.0.0.1:8080/readyz
	step 'the agent is installed, enabled and not started without settings'
	inside dpkg -i /agent.deb | grep -q 'not enrolled' || fail 'the package does not tell how to enroll'
	[[ $(inside systemctl is-enabled muster-agent) == enabled ]] || fail 'the agent is not enabled'
	! inside systemctl is-active --quiet muster-agent || fail 'the agent runs without settings'
	! inside muster-agent status >/dev/null 2>&1 || fail 'status succeeds without enrollment'
}

test_enrollment() {
	local token
	token=$(ask_inside -H 'Content-Type: application/json' -d '{"name":"test","max_uses":1,"expires_in":"1h"}' "$API/enrollment-tokens")
	inside sh -c 'cat >>/etc/muster/agent.env' <<-SETTINGS
		MUSTER_COLLECTOR=127.0.0.1:8443
		MUSTER_CA_PIN=$(jq -r .ca_pin <<<"$token")
	SETTINGS
	inside sh -c 'mkdir -p -m 0700 /var/lib/muster-agent && cat >/var/lib/muster-agent/enrollment-token' < <(jq -r .token <<<"$token")
	inside systemctl restart muster-agent
	await 'enrollment and check-in' inside muster-agent status
	DEVICE=$(devices)
	[[ -n $DEVICE ]] || fail 'the collector has no device'
	[[ ! -e $ROOT/var/lib/muster-agent/enrollment-token && ! -e $ROOT/var/lib/private/muster-agent/enrollment-token ]] ||
		fail 'the token was not erased'
	AGENT=$(status_of | jq -r .agent_id)
	step "the agent enrolled itself as device $DEVICE and the token is gone"
}

# test_sandbox compares what the service found with what root finds without a sandbox.
test_sandbox() {
	local confined free
	confined=$(status_of | jq -r '.sections[] | "\(.section) \(.status) \(.items)"' | sort)
	free=$(inside muster-agent inventory | jq -r '.sections | to_entries[] | "\(.key) \(.value.status) \(.value.items | length)"' | sort)
	[[ $confined == "$free" ]] || fail "the sandbox changes the inventory:$(diff <(echo "$free") <(echo "$confined"))"
	inside systemd-analyze security --no-pager --threshold=20 muster-agent >"$WORK/exposure" ||
		fail "the exposure is above 2.0: $(tail -1 "$WORK/exposure")"
	step "the sandbox hides nothing; $(tail -1 "$WORK/exposure")"
}

test_crash() {
	local before
	before=$(inside systemctl show -P MainPID muster-agent)
	inside systemctl kill -s KILL muster-agent
	restarted() { [[ $(inside systemctl show -P NRestarts muster-agent) == 1 ]] && inside systemctl is-active muster-agent; }
	await 'restart' restarted
	[[ $(inside systemctl show -P MainPID muster-agent) != "$before" ]] || fail 'the agent was not killed'
	step 'kill -9: restarted'
}

# unchanged checks that the agent checked in since an instant, as the same device.
unchanged() {
	acknowledged() { status_of | jq -e --argjson since "$1" '.last_ack | sub("[.][0-9]+"; "") | fromdateiso8601 >= $since'; }
	await 'check-in' acknowledged "$1"
	[[ $(status_of | jq -r .agent_id) == "$AGENT" ]] || fail 'the agent has another identity'
	[[ $(devices) == "$DEVICE" ]] || fail "the devices are $(devices), not $DEVICE"
}

test_reboot() {
	local since
	since=$(date +%s)
	inside systemctl reboot
	halt 133
	boot
	await 'collector' inside curl -fsS http://127.0.0.1:8080/readyz
	unchanged "$since"
	step 'reboot: synced as the same device'
}

test_upgrade() {
	local since
	dpkg-deb -R "$ROOT/agent.deb" "$WORK/newer"
	sed -i 's/^Version: .*/&+newer/' "$WORK/newer/DEBIAN/control"
	echo '# a new line of the package' >>"$WORK/newer/etc/muster/agent.env"
	dpkg-deb -Zgzip -z1 -b "$WORK/newer" "$ROOT/newer.deb" >/dev/null
	since=$(date +%s)
	inside dpkg -i --force-confold /newer.deb >/dev/null 2>&1
	inside grep -q '^MUSTER_COLLECTOR=127.0.0.1:8443' /etc/muster/agent.env || fail 'the upgrade lost the settings'
	unchanged "$since"
	step 'upgrade: the same settings and the same device'
}

test_control() {
	[[ $(inside muster-agent service status) == running ]] || fail 'service status'
	! inside muster-agent service install >/dev/null 2>&1 || fail 'service install beside the package'
	inside muster-agent service stop
	! inside muster-agent service status >/dev/null || fail 'service status succeeds for a stopped service'
	inside muster-agent service start
	inside muster-agent service restart
	[[ $(inside muster-agent service status) == running ]] || fail 'service start'
	step 'service status, stop, start, restart'
}

test_remove() {
	local since
	inside dpkg -r muster-agent >/dev/null 2>&1
	! inside pgrep -x muster-agent >/dev/null || fail 'the agent runs after its removal'
	inside test -e /var/lib/muster-agent/identity.json || fail 'a removal without purge lost the identity'
	since=$(date +%s)
	inside dpkg -i --force-confold /newer.deb >/dev/null 2>&1
	[[ $(inside systemctl is-enabled muster-agent) == enabled ]] || fail 'not enabled after a removal and an installation'
	unchanged "$since"
	step 'removed and installed again: the same device'
}

test_purge() {
	inside cp /usr/bin/muster-agent /usr/local/bin/agent-without-package
	inside dpkg -P muster-agent >/dev/null 2>&1
	gone muster-agent
	step 'purge: the agent is gone'
}

# test_program runs the service commands of a program without a package.
test_program() {
	local token program=/usr/local/bin/agent-without-package
	token=$(ask_inside -H 'Content-Type: application/json' -d '{"name":"test","max_uses":1,"expires_in":"1h"}' "$API/enrollment-tokens")
	inside "$program" enroll --collector 127.0.0.1:8443 --ca-pin "$(jq -r .ca_pin <<<"$token")" \
		--token "$(jq -r .token <<<"$token")" >/dev/null
	inside "$program" service install >/dev/null
	await 'check-in' inside "$program" status
	[[ $(inside systemctl is-enabled muster-agent) == enabled ]] || fail 'service install does not enable'
	inside "$program" service uninstall >/dev/null
	! inside "$program" service status >/dev/null 2>&1 || fail 'service uninstall'
	! inside pgrep -f agent-without-package >/dev/null || fail 'the agent runs after service uninstall'
	inside chmod 0777 /usr/local/bin
	! inside "$program" service install >/dev/null 2>&1 || fail 'service install from a folder that everybody can change'
	inside chmod 0755 /usr/local/bin
	step 'service install and uninstall without a package'
}

test_purge_collector() {
	inside dpkg -P muster-collector >/dev/null 2>&1
	gone muster-collector
	[[ ! -e $ROOT/etc/muster ]] || fail 'purge left /etc/muster'
	step 'purge: the collector, its data and its user are gone'
}

# test_rpm installs the rpm packages in another file system, whose database the agent reads.
test_rpm() {
	local root=$WORK/rpm name left
	local rpm=(rpm --root "$root" --dbpath /var/lib/rpm)
	mkdir -p "$root"
	tar -C "$root" -xf "$IMAGE"
	"${rpm[@]}" --initdb
	"${rpm[@]}" -i --nodeps bin/packages/muster-*.rpm 2>&1 | grep -v 'not enrolled' || true
	for name in muster-agent muster-collector; do
		"${rpm[@]}" -V --nodeps "$name" || fail "rpm: the files of $name differ from the package"
		[[ $(chroot "$root" systemctl is-enabled "$name") == enabled ]] || fail "rpm: $name is not enabled"
		chroot "$root" muster-agent inventory --section software |
			jq -e --arg name "$name" '.sections.software.items | any(.name == $name)' >/dev/null || fail "the software does not contain $name"
	done
	"${rpm[@]}" -e --nodeps muster-agent muster-collector
	left=$(find "$root" -name '*muster*')
	[[ -z $left ]] || fail "rpm: the removal left $left"
	! grep -q '^muster' "$root/etc/passwd" || fail 'rpm: the removal left the user'
	step 'rpm: installed, enabled, in the software of the agent, removed'
}

trap finish EXIT
install_missing <<-LIST
	mmdebstrap mmdebstrap
	jq jq
	systemd-nspawn systemd-container
	rpm rpm
LIST
image
# Without a tmpfs there nspawn cannot clean up where /run is on a disk.
mkdir -p /run/systemd/nspawn
if ! mountpoint -q /run && ! mountpoint -q /run/systemd/nspawn; then
	mount -t tmpfs tmpfs /run/systemd/nspawn
	touch "$WORK/mounted"
fi
mkdir -p "$ROOT"
tar -C "$ROOT" -xf "$IMAGE"

test_install
test_enrollment
test_sandbox
test_crash
test_reboot
test_upgrade
test_control
test_remove
test_purge
test_program
test_purge_collector
inside systemctl poweroff
halt 0
test_rpm
echo '12 passed, 0 failed'
