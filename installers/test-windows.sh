#!/usr/bin/env bash
# Installs the MSI of the agent under Wine, silently and with its properties, and checks its life
# with a real collector: enrolled, synced, the same device after an upgrade and a repair, gone after
# an uninstallation. Start reading at the calls at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=installers/testing.sh
. installers/testing.sh
export WINEPREFIX=$WORK/wine WINEDEBUG=-all
# Without .NET, a browser and a menu of the desktop, which Wine would ask about.
export WINEDLLOVERRIDES='mscoree=;mshtml=;winemenubuilder.exe='
unset DISPLAY
DRIVE=$WINEPREFIX/drive_c
AGENT='C:\Program Files\Muster\muster-agent.exe'

skip() {
	printf 'test-windows: skipped: %s\n' "$*"
	exit 0
}

tools() {
	[[ $(uname -m) == x86_64 ]] || skip 'Wine runs the MSI for amd64 only on such a machine'
	install_missing <<-LIST || skip 'Wine and the tools of the MSI come from Debian'
		wine wine
		/usr/lib/wine/wine64 wine64
		wixl wixl
		msibuild msitools
		osslsigncode osslsigncode
		faketime faketime
		openssl openssl
		jq jq
		curl curl
	LIST
}

finish() {
	local status=$?
	if ((status)) && [[ -s $WORK/collector.log ]]; then
		tail -20 "$WORK/collector.log"
		wine "$AGENT" status || true
	fi
	[[ ! -d $DRIVE ]] || /usr/lib/wine/wineserver64 -k || true
	stop_collector
	rm -rf "$WORK"
	exit "$status"
}

status_of() { wine "$AGENT" status --output json; }

# installed prints what is on the drive and in the registry, of what programs install.
installed() {
	find "$DRIVE/Program Files" "$DRIVE/ProgramData" -printf '%P\n' | sort
	wine reg query 'HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall' /s 2>/dev/null || true
	wine reg query 'HKLM\System\CurrentControlSet\Services' | grep -i muster || true
	wine reg query 'HKLM\System\CurrentControlSet\Services\EventLog\Application' /s 2>/dev/null | grep -i muster || true
}

# packages builds two versions, signed with a certificate for this test.
packages() {
	local newer=$WORK/newer.exe
	openssl req -x509 -newkey rsa:3072 -nodes -keyout "$WORK/key.pem" -out "$WORK/cert.pem" -days 2 -subj '/CN=Muster Test' \
		-addext extendedKeyUsage=codeSigning -addext keyUsage=critical,digitalSignature 2>/dev/null
	export MUSTER_SIGN_CERT=$WORK/cert.pem MUSTER_SIGN_KEY=$WORK/key.pem
	VERSION=1.2.3 make package FORMATS=msi ARCHES=amd64 PROGRAMS=agent >"$WORK/make.log" 2>&1 || fail "$(<"$WORK/make.log")"
	cp bin/packages/muster-agent-1.2.3-amd64.msi "$WORK/old.msi"
	GOOS=windows GOARCH=amd64 go build -ldflags '-s -w' -o "$newer" ./agent
	echo 'newer' >>"$newer" # another file, of which Windows does not read this end
	SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) installers/windows/msi.sh "$newer" amd64 1.2.4 "$WORK/new.msi"
	for file in "$WORK/old.msi" "$WORK/new.msi" "$newer"; do
		osslsigncode verify -CAfile "$WORK/cert.pem" -in "$file" >"$WORK/verify" || fail "the signature of $file: $(<"$WORK/verify")"
	done
	step 'two versions of the MSI, signed, and their signatures'
}

# hidden checks the properties that keep the token out of Windows Installer's log. Wine ignores them.
hidden() {
	local hide_target=8192
	msiinfo export "$WORK/old.msi" Property | grep -q $'^MsiHiddenProperties\tTOKEN' || fail 'the token is not hidden'
	(($(msiinfo export "$WORK/old.msi" CustomAction | awk -F'\t' '$1 == "Configure" { print $2 }') & hide_target)) ||
		fail 'the command line with the token is not hidden'
}

prefix() {
	wine wineboot -i >/dev/null 2>&1
	go run ./installers/windows/forwarder "$DRIVE/windows/system32/bcryptprimitives.dll" bcryptprimitives.dll \
		ProcessPrng=ADVAPI32.SystemFunction036
	installed >"$WORK/before"
	step 'Wine'
}

# test_rights runs the tests of access rights and of the service that need Windows.
test_rights() {
	GOOS=windows GOARCH=amd64 go test -exec wine -run '^Test(Private|Protected)' ./agent/host ./internal/osservice >"$WORK/rights" 2>&1 ||
		fail "$(<"$WORK/rights")"
	step 'access rights'
}

install_msi() {
	cp "$1" "$DRIVE/muster.msi"
	wine msiexec /i 'C:\muster.msi' /qn '/l*v' 'C:\install.log' "${@:2}" >/dev/null 2>&1 || fail "msiexec: exit code $?"
}

test_install() {
	local token
	token=$(new_token)
	install_msi "$WORK/old.msi" SERVER="$AGENTS" TOKEN="$(jq -r .token <<<"$token")" CA_PIN="$(jq -r .ca_pin <<<"$token")"
	await 'enrollment and check-in' wine "$AGENT" status
	[[ ! -e $DRIVE/ProgramData/Muster/enrollment-token ]] || fail 'the token was not erased'
	! grep -rqF "$(jq -r .token <<<"$token")" "$DRIVE/ProgramData/Muster" "$WINEPREFIX"/*.reg || fail 'the token is still stored'
	[[ $(stat -c %a "$DRIVE/ProgramData/Muster") == *0 ]] || fail 'other users can read the state'
	[[ $(wine sc query muster-agent) == *RUNNING* ]] || fail 'the service does not run'
	DEVICE=$(devices)
	[[ -n $DEVICE ]] || fail 'the collector has no device'
	IDENTITY=$(status_of | jq -r .agent_id)
	step "installed silently; enrolled as device $DEVICE; the token is gone"
}

# titles prints name, version and publisher of the device's software as the collector knows it.
titles() { ask "devices/$DEVICE/software" | jq -r '.items[] | "\(.name) \(.version) \(.publisher)"'; }

test_software() {
	has() { titles | grep -qx 'Muster Agent 1.2.3 Muster'; }
	await 'the MSI in the software' has
	step "the software contains the MSI: $(titles | grep '^Muster')"
}

# unchanged checks that the agent checks in, as the same device.
unchanged() {
	local since
	since=$(date +%s)
	# Wine keeps a service that an upgrade has stopped.
	wine net stop muster-agent >/dev/null 2>&1 || true
	wine net start muster-agent >/dev/null 2>&1 || true
	acknowledged() { status_of | jq -e --argjson since "$since" '.last_ack | sub("[.][0-9]+"; "") | fromdateiso8601 >= $since'; }
	await 'check-in' acknowledged
	[[ $(status_of | jq -r .agent_id) == "$IDENTITY" ]] || fail 'the agent has another identity'
	[[ $(devices) == "$DEVICE" ]] || fail "the devices are $(devices), not $DEVICE"
}

test_upgrade() {
	install_msi "$WORK/new.msi"
	cmp -s "$DRIVE/Program Files/Muster/muster-agent.exe" "$WORK/newer.exe" || fail 'the upgrade did not replace the program'
	unchanged
	[[ $(titles | grep '^Muster') == 'Muster Agent 1.2.4 Muster' ]] || fail "the software is $(titles | grep '^Muster')"
	step 'upgrade: the new program, the same device'
}

test_repair() {
	wine net stop muster-agent >/dev/null 2>&1
	rm "$DRIVE/Program Files/Muster/muster-agent.exe"
	# This is what "msiexec /fa" does, which Wine refuses.
	wine msiexec /i 'C:\muster.msi' /qn REINSTALL=ALL REINSTALLMODE=amus >/dev/null 2>&1 || fail "repair: exit code $?"
	cmp -s "$DRIVE/Program Files/Muster/muster-agent.exe" "$WORK/newer.exe" || fail 'the repair did not restore the program'
	unchanged
	step 'repair: the program is back, the same device'
}

test_uninstall() {
	wine msiexec /x 'C:\muster.msi' /qn >/dev/null 2>&1 || fail "uninstallation: exit code $?"
	installed >"$WORK/after"
	diff "$WORK/before" "$WORK/after" >"$WORK/left" || fail "the uninstallation left: $(<"$WORK/left")"
	step 'uninstalled: nothing is left but the log'
}

trap finish EXIT
tools
packages
hidden
prefix
start_collector
test_rights
test_install
test_software
test_upgrade
test_repair
test_uninstall
echo '6 passed, 0 failed'
