#!/usr/bin/env bash
# Boots a virtual machine with the deb package of the agent and an SMBIOS table of our own, and
# checks that the table arrives at a collector. QEMU emulates the processor, because not every
# machine can virtualize one. Start reading at the calls at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

((EUID == 0)) || { echo 'this test needs root: it makes the file system of a machine' >&2; exit 1; }

# shellcheck source=installers/testing.sh
. installers/testing.sh
IMAGE=bin/cache/bookworm-vm.tar
ROOT=$WORK/root
# From the machine only this address can be reached: QEMU starts a program for each connection to it.
GATEWAY=10.0.2.100:8443
MACHINE= # the process of QEMU

# The values of the table.
SERIAL=ABC1234
UUID=4c4c4544-0042-4310-8031-b1c04f313233
ASSET=IT-0042
DIMM=12345678
PART=HMCG78AGBSA092N

finish() {
	local status=$?
	if ((status)); then
		tail -n 20 "$WORK"/*.log 2>/dev/null || true
	fi
	[[ -z $MACHINE ]] || kill "$MACHINE" 2>/dev/null || true
	stop_collector
	rm -rf "$WORK"
	exit "$status"
}

# image makes the file system of the machine once, with a kernel and the drivers that it needs.
image() {
	[[ -e $IMAGE ]] && return
	mkdir -p "$(dirname "$IMAGE")"
	# shellcheck disable=SC2016 # mmdebstrap's shell expands $1
	mmdebstrap --quiet --variant=minbase --mode=root --aptopt='Apt::Install-Recommends "false"' \
		--dpkgopt=force-unsafe-io --dpkgopt=force-confold --dpkgopt='path-exclude=/usr/share/doc/*' \
		--include=systemd,systemd-sysv,udev,dbus,kmod,initramfs-tools,linux-image-cloud-amd64 \
		--customize-hook='printf "%s\n" virtio_pci virtio_blk virtio_net ext4 >>"$1/etc/initramfs-tools/modules"' \
		--customize-hook='sed -i s/^MODULES=.*/MODULES=list/ "$1/etc/initramfs-tools/initramfs.conf"' \
		--customize-hook='chroot "$1" update-initramfs -u' \
		--customize-hook='rm -f "$1/var/lib/dbus/machine-id" "$1/etc/machine-id"; touch "$1/etc/machine-id"' \
		--customize-hook='chroot "$1" systemctl --quiet enable systemd-networkd' \
		--customize-hook='chroot "$1" systemctl --quiet mask systemd-networkd-wait-online systemd-logind systemd-timesyncd apt-daily.timer apt-daily-upgrade.timer' \
		bookworm "$IMAGE.new.tar"
	mv "$IMAGE.new.tar" "$IMAGE"
}

# disk makes the disk of the machine, with the agent and its settings.
disk() {
	local token
	token=$(new_token)
	mkdir -p "$ROOT"
	tar -C "$ROOT" -xf "$IMAGE"
	printf '[Match]\nName=e*\n[Network]\nAddress=10.0.2.15/24\n' >"$ROOT/etc/systemd/network/machine.network"
	cp bin/packages/muster-agent_*.deb "$ROOT/agent.deb"
	chroot "$ROOT" dpkg -i /agent.deb >/dev/null 2>&1
	chroot "$ROOT" muster-agent configure --collector "$GATEWAY" --ca-pin "$(jq -r .ca_pin <<<"$token")" \
		--token "$(jq -r .token <<<"$token")" >/dev/null
	mke2fs -q -t ext4 -d "$ROOT" "$WORK/disk.img" 900M
	step 'the disk of a machine with the agent and its settings'
}

boot() {
	printf '#!/bin/bash\nexec 3<>/dev/tcp/%s/%s\ncat <&3 &\nexec cat >&3\n' "${AGENTS%:*}" "${AGENTS##*:}" >"$WORK/connect"
	chmod 0755 "$WORK/connect"
	qemu-system-x86_64 -accel tcg,thread=multi,tb-size=128 -M q35 -smp 2 -cpu max -m 384 -nodefaults -no-user-config \
		-display none -serial "file:$WORK/console.log" \
		-kernel "$ROOT"/boot/vmlinuz-* -initrd "$ROOT"/boot/initrd.img-* \
		-append 'console=ttyS0 root=/dev/vda rw quiet panic=-1 mitigations=off' \
		-drive "file=$WORK/disk.img,format=raw,if=none,id=disk,cache=unsafe" -device virtio-blk-pci,drive=disk,serial=TESTDISK01 \
		-netdev "user,id=net,restrict=on,guestfwd=tcp:$GATEWAY-cmd:$WORK/connect" -device virtio-net-pci,netdev=net,romfile= \
		-device virtio-rng-pci \
		-smbios 'type=0,vendor=Example,version=1.2.3,date=01/02/2024' \
		-smbios "type=1,manufacturer=Dell Inc.,product=Latitude 7440,serial=$SERIAL,uuid=$UUID" \
		-smbios "type=3,manufacturer=Dell Inc.,serial=CH-1,asset=$ASSET" \
		-smbios "type=17,loc_pfx=DIMM,bank=BANK 0,manufacturer=SK Hynix,serial=$DIMM,part=$PART,speed=5600" \
		>"$WORK/qemu.log" 2>&1 &
	MACHINE=$!
	await 'a device' enrolled
	DEVICE=$(devices)
	step "the machine enrolled itself as device $DEVICE"
}

enrolled() { kill -0 "$MACHINE" && [[ -n $(devices) ]]; }

items() { ask "devices/$DEVICE/sections/$1" | jq -c '.items[]'; }

# arrived checks that the items of a section contain a value, as KEY VALUE pairs.
arrived() {
	local section=$1
	shift
	while (($#)); do
		present() { items "$section" | jq -es --arg key "$1" --arg value "$2" 'any(.[]; [.. | objects | .[$key]? // empty] | index($value))'; }
		await "$section: $1 $2" present "$1" "$2"
		shift 2
	done
}

test_smbios() {
	arrived system serial_number "$SERIAL" uuid "$UUID" asset_tag "$ASSET" chassis_serial CH-1 manufacturer 'Dell Inc.'
	step "serial number $SERIAL, UUID $UUID and asset tag $ASSET arrived"
	arrived memory serial_number "$DIMM" part_number "$PART" manufacturer 'SK Hynix'
	step "memory module $DIMM, $PART arrived"
	arrived storage serial_number TESTDISK01
	step 'the serial number of the disk arrived'
}

trap finish EXIT
install_missing <<-LIST
	mmdebstrap mmdebstrap
	qemu-system-x86_64 qemu-system-x86
	mke2fs e2fsprogs
	jq jq
	curl curl
LIST
image
start_collector
disk
LIMIT=600 boot
test_smbios
echo '3 passed, 0 failed'
