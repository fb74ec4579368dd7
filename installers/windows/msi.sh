#!/usr/bin/env bash
# Builds an MSI of the agent: msi.sh PROGRAM.exe ARCH VERSION OUT.msi. VERSION has three numbers.
# SOURCE_DATE_EPOCH is the time of everything in it. With MUSTER_SIGN_CERT and MUSTER_SIGN_KEY (PEM
# files) it signs the program and the MSI, with MUSTER_SIGN_TIMESTAMP (a URL) also the time of that.
set -euo pipefail
PROGRAM=$1 ARCH=$2 VERSION=$3 OUT=$4
SOURCE=$(dirname "${BASH_SOURCE[0]}")/muster-agent.wxs
export LC_ALL=C TZ=UTC

# identifier prints a GUID that depends on the arguments only.
identifier() {
	local hash
	hash=$(printf '%s\n' "$@" | sha256sum)
	hash=${hash^^}
	printf '%s-%s-8%s-A%s-%s\n' "${hash:0:8}" "${hash:8:4}" "${hash:12:3}" "${hash:15:3}" "${hash:18:12}"
}

# frozen runs a command at the time SOURCE_DATE_EPOCH.
frozen() { faketime -f "$(date -ud "@$SOURCE_DATE_EPOCH" '+%F %T')" "$@"; }

sign() {
	[[ -n ${MUSTER_SIGN_CERT-} ]] || return 0
	local when=(-time "$SOURCE_DATE_EPOCH")
	[[ -z ${MUSTER_SIGN_TIMESTAMP-} ]] || when=(-ts "$MUSTER_SIGN_TIMESTAMP")
	osslsigncode sign -certs "$MUSTER_SIGN_CERT" -key "${MUSTER_SIGN_KEY:?the key of MUSTER_SIGN_CERT}" \
		-h sha256 -n 'Muster Agent' "${when[@]}" "${@:2}" -in "$1" -out "$1.signed" >/dev/null
	mv "$1.signed" "$1"
}

edit() { frozen msibuild "$OUT" -q "$1"; }

sign "$PROGRAM"
touch -d "@$SOURCE_DATE_EPOCH" "$PROGRAM"
# A product code belongs to a version, a package code to the content. wixl knows no arm64, and reads
# the program from the folder of its source.
cp "$SOURCE" "$PROGRAM.wxs"
frozen wixl -a x64 -D "ProductCode=$(identifier "$VERSION" "$ARCH")" -D "Version=$VERSION" \
	-D "Program=$(basename "$PROGRAM")" -o "$OUT" "$PROGRAM.wxs"
rm "$PROGRAM.wxs"

# The token is in no log. The types: a program of this MSI that runs as the system, whose command
# line is hidden (11282), or whose failure is ignored (3154).
edit "INSERT INTO Property (Property, Value) VALUES ('MsiHiddenProperties', 'TOKEN')"
edit "UPDATE CustomAction SET Type=11282 WHERE Action='Configure'"
edit "UPDATE CustomAction SET Type=3154 WHERE Action='Forget'"
edit "UPDATE Property SET Value='WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED;SERVER;TOKEN;CA_PIN' WHERE Property='SecureCustomProperties'"
# The previous version is removed when the new one is installed, so that what both have stays.
edit "UPDATE InstallExecuteSequence SET Sequence=6601 WHERE Action='RemoveExistingProducts'"
platform=x64
[[ $ARCH = amd64 ]] || platform=Arm64
frozen msibuild "$OUT" -s 'Muster Agent' 'Muster' "$platform;1033" "{$(identifier "$VERSION" "$(sha256sum <"$PROGRAM")")}"
sign "$OUT" -add-msi-dse
