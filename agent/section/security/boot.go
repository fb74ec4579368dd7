package security

import (
	"context"
	"strings"

	"github.com/musterhq/muster/agent/section/firmware"
	"github.com/musterhq/muster/agent/section/volume"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// secureBoot adds nothing in a container, which has neither UEFI nor BIOS.
func secureBoot(_ context.Context, s *survey) {
	item := &inventoryv1.SecurityPosture{Control: "secure_boot"}
	if on := firmware.SecureBoot(s.host); on != nil {
		s.add(item, *on)
		return
	}
	if !s.exists("/sys/firmware/efi") && s.exists("/sys/firmware/dmi") {
		item.State = "not supported" // the machine was started by a BIOS
		s.add(item, false)
	}
}

// tpm adds nothing if the kernel has no driver for TPMs.
func tpm(_ context.Context, s *survey) {
	if !s.exists("/sys/class/tpm") {
		return
	}
	modules, err := s.host.TPMs()
	if err != nil {
		return
	}
	item := &inventoryv1.SecurityPosture{Control: "tpm", State: "absent"}
	if len(modules) > 0 {
		item.State, item.Version = "present", modules[0].SpecVersion
	}
	s.add(item, len(modules) > 0)
}

// diskEncryption summarizes the section volume: "on" if the system's volume and all other volumes
// are encrypted, "partial" if only some are. The volumes of the boot loader cannot be encrypted.
// Datasets of ZFS are left out, because the agent does not know their encryption.
func diskEncryption(ctx context.Context, s *survey) {
	volumes, err := volume.Collector().Collect(ctx, s.host)
	if err != nil {
		return // the section volume reports it
	}
	encrypted, total, system := 0, 0, false
	item := &inventoryv1.SecurityPosture{Control: "disk_encryption"}
	for _, message := range volumes {
		v, ok := message.(*inventoryv1.Volume)
		if !ok || v.FsType == "zfs" || !strings.HasPrefix(v.Device, "/dev/") || startsBootLoader(v.MountPoint) {
			continue
		}
		total++
		system = system || v.GetIsSystem()
		if v.EncryptionMethod != "" {
			encrypted++
			item.Detail = v.EncryptionMethod
		}
	}
	if !system { // as in a container
		return
	}
	if encrypted > 0 && encrypted < total {
		item.State = "partial"
	}
	s.add(item, encrypted == total)
}

func startsBootLoader(mountPoint string) bool {
	return mountPoint == "/boot" || mountPoint == "/efi" || strings.HasPrefix(mountPoint, "/boot/")
}

// selinux reads the mode of the running kernel, or that SELinux is configured and not running.
func selinux(_ context.Context, s *survey) {
	item := &inventoryv1.SecurityPosture{Control: "mandatory_access_control", Product: "SELinux"}
	configuration := s.read("/etc/selinux/config")
	for line := range strings.Lines(configuration) {
		if policy, found := strings.CutPrefix(line, "SELINUXTYPE="); found {
			item.Detail = strings.TrimSpace(policy)
		}
	}
	switch s.host.Attribute("/sys/fs/selinux/enforce") {
	case "1":
		item.State = "enforcing"
		s.add(item, true)
	case "0":
		item.State = "permissive" // it only logs
		s.add(item, false)
	default:
		if configuration != "" && s.exists("/sys/kernel") {
			s.add(item, false)
		}
	}
}

func appArmor(_ context.Context, s *survey) {
	item := &inventoryv1.SecurityPosture{Control: "mandatory_access_control", Product: "AppArmor"}
	switch s.host.Attribute("/sys/module/apparmor/parameters/enabled") {
	case "Y":
		s.add(item, true)
	case "N":
		s.add(item, false)
	}
}

// lockdown reads "none [integrity] confidentiality", with the mode in brackets
// (kernel_lockdown(7)).
func lockdown(_ context.Context, s *survey) {
	_, rest, found := strings.Cut(s.host.Attribute("/sys/kernel/security/lockdown"), "[")
	mode, _, ended := strings.Cut(rest, "]")
	if !found || !ended {
		return
	}
	item := &inventoryv1.SecurityPosture{Control: "kernel_lockdown"}
	if mode != "none" {
		item.Detail = mode
	}
	s.add(item, mode != "none")
}
