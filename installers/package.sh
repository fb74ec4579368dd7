#!/usr/bin/env bash
# Builds the packages of both programs into bin/packages: for Linux, and of the agent for Windows
# (msi) and macOS (pkg). Equal sources give equal packages: all times are SOURCE_DATE_EPOCH, by
# default the time of the last commit. "make package" sets the tools.
#   FORMATS, ARCHES, PROGRAMS             build only these
#   VERSION                               the version of the packages
#   MUSTER_SIGN_CERT, MUSTER_SIGN_KEY     sign for Windows, see windows/msi.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C TZ=UTC

NFPM=${NFPM:?path of nfpm}
SBOM=${SBOM:?path of cyclonedx-gomod}
FORMATS=${FORMATS:-deb rpm apk archlinux msi pkg}
ARCHES=${ARCHES:-amd64 arm64}
PROGRAMS=${PROGRAMS:-agent collector}
OUT=bin/packages
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
# A commit without a tag has a version below each release that is greater for a later commit.
VERSION=${VERSION:-$(git describe --tags --exact-match 2>/dev/null || date -ud "@$SOURCE_DATE_EPOCH" +0.0.0~%Y%m%d%H%M%S)}
VERSION=${VERSION#v}
MAINTAINER='Muster <muster@localhost>'
MTIME=$(date -ud "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)

# numbers prints the version as the three numbers of an MSI, of which the first two are bytes. Commits
# without a tag are below 1.0.0 and ascend every 256 seconds.
numbers() {
	local minutes=$((SOURCE_DATE_EPOCH >> 8))
	if [[ $VERSION =~ ^([0-9]+\.[0-9]+\.[0-9]+)(-.*)?$ ]]; then
		echo "${BASH_REMATCH[1]}"
	else
		echo "0.$((minutes >> 16)).$((minutes & 65535))"
	fi
}

# requires installs the tools of the formats where the distribution has them, or names them.
requires() {
	local missing=() tool package
	while read -r tool package; do
		command -v "$tool" >/dev/null || missing+=("$package")
	done < <(case " $FORMATS " in *' msi '*) printf '%s\n' 'wixl wixl' 'msibuild msitools' 'osslsigncode osslsigncode' 'faketime faketime' ;; esac)
	((${#missing[@]})) || return 0
	if ((EUID == 0)) && command -v apt-get >/dev/null; then
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null && return 0
	fi
	printf 'the format msi needs the packages %s of Debian; FORMATS="deb rpm apk archlinux pkg" leaves it out\n' "${missing[*]}" >&2
	exit 1
}

# describe sets what differs between the two programs.
describe() {
	case $1 in
	agent)
		SUMMARY='Inventories this machine for a Muster collector'
		DETAIL='The service reports hardware, software and users. It opens no port and takes no commands.'
		RECOMMENDS=''
		;;
	collector)
		SUMMARY='Collects the inventories of muster-agents and serves them over REST'
		DETAIL='It stores them in PostgreSQL, in a private one unless collector.env names another.'
		RECOMMENDS=postgresql
		;;
	esac
}

# documents writes the man page, the completions and the scripts. They do not depend on the
# architecture, and come from the program for this machine.
documents() {
	local program=bin/$NAME script
	"$program" man | gzip -9n >"$STAGE/$NAME.1.gz"
	"$program" completion bash >"$STAGE/$NAME.bash"
	"$program" completion zsh >"$STAGE/_$NAME"
	"$program" completion fish >"$STAGE/$NAME.fish"
	printf '%s (%s) unstable; urgency=medium\n\n  * Version %s.\n\n -- %s  %s\n' "$NAME" "$VERSION" "$VERSION" \
		"$MAINTAINER" "$(date -ud "@$SOURCE_DATE_EPOCH" -R)" | gzip -9n >"$STAGE/changelog.gz"
	# Go programs are static. Units are handled by deb-systemd-helper and, to start, systemctl.
	printf '%s: %s\n' "$NAME" statically-linked-binary "$NAME" maintainer-script-calls-systemctl \
		>"$STAGE/lintian-overrides"
	for script in installers/linux/{deb,rpm,apk,archlinux}/*; do
		mkdir -p "$STAGE/$(basename "$(dirname "$script")")"
		{
			printf '#!/bin/sh\nset -e\nNAME=%s\n' "$NAME"
			grep -v '^# Shared by' installers/linux/functions.sh
			cat "$script"
		} >"$STAGE/${script#installers/linux/}"
	done
}

# configuration prints nfpm's configuration, of which nfpm itself would expand only some fields.
# The systems write a version before a release in their own way.
configuration() {
	local name VERSION=$VERSION
	case $1 in
	apk) VERSION=${VERSION/\~/_pre} ;;
	archlinux) VERSION=${VERSION/\~/pre} ;;
	esac
	for name in NAME SHORT ARCH VERSION MAINTAINER MTIME STAGE PROGRAM SUMMARY DETAIL RECOMMENDS; do
		printf 's|@%s@|%s|g\n' "$name" "${!name}"
	done | sed -f - installers/linux/nfpm.yaml
}

# build builds the program for GOOS and ARCH.
build() {
	GOOS=$1 GOARCH=$ARCH go build -ldflags '-s -w' -o "$PROGRAM" "./$SHORT"
}

linux() {
	local format
	PROGRAM=$STAGE/linux-$ARCH/$NAME
	build linux
	bill linux
	for format in "$@"; do
		configuration "$format" >"$STAGE/nfpm.yaml"
		"$NFPM" package -f "$STAGE/nfpm.yaml" -p "$format" -t "$OUT/" >/dev/null
	done
}

windows() {
	local package=$OUT/$NAME-$VERSION-$ARCH.msi
	PROGRAM=$STAGE/windows-$ARCH/$NAME.exe
	build windows
	bill windows
	installers/windows/msi.sh "$PROGRAM" "$ARCH" "$(numbers)" "$package"
}

darwin() {
	PROGRAM=$STAGE/darwin-$ARCH/$NAME
	build darwin
	bill darwin
	installers/macos/pkg.sh "$PROGRAM" "$STAGE/$NAME.1.gz" "$(numbers)" "$OUT/$NAME-$VERSION-$ARCH.pkg"
}

# bill writes the bill of materials of the program.
bill() {
	"$SBOM" bin -json -noserial -notimestamp -version "v${VERSION/\~/-}" -output "$STAGE/$1-$ARCH.cdx.json" "$PROGRAM" 2>/dev/null
}

requires
rm -rf "$OUT"
mkdir -p "$OUT"
mapfile -t formats < <(tr -s ' ' '\n' <<<"$FORMATS" | grep -vxE 'msi|pkg|')
for SHORT in $PROGRAMS; do
	NAME=muster-$SHORT STAGE=bin/stage/$SHORT
	rm -rf "$STAGE"
	mkdir -p "$STAGE"
	describe "$SHORT"
	documents
	for ARCH in $ARCHES; do
		((${#formats[@]} == 0)) || linux "${formats[@]}"
		[[ $SHORT = agent ]] || continue
		[[ " $FORMATS " != *' msi '* ]] || windows
		[[ " $FORMATS " != *' pkg '* ]] || darwin
	done
done

# apk: nfpm writes the scripts in a random order.
for package in "$OUT"/*.apk; do
	[[ ! -e $package ]] || go run ./installers/linux/apksort "$package"
done

# Each package has its bill of materials and its checksum beside it.
cd "$OUT"
for package in muster-*; do
	system=linux ARCH=arm64 SHORT=${package#muster-}
	[[ $package != *.msi ]] || system=windows
	[[ $package != *.pkg ]] || system=darwin
	[[ ! $package =~ amd64|x86_64 ]] || ARCH=amd64
	cp "../stage/${SHORT%%[-_]*}/$system-$ARCH.cdx.json" "$package.cdx.json"
	sha256sum "$package" >"$package.sha256"
	printf '%9d  %s\n' "$(stat -c %s "$package")" "$package"
done
