package volume

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/plist"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// macData is where macOS mounts the users' files since version 10.15. It is hidden; its content is
// shown below the root.
const macData = "/System/Volumes/Data"

// fileVault is the encryption method of macOS.
const fileVault = "filevault"

// collectMac lists the volumes of a Mac.
func collectMac(ctx context.Context, h *host.Host) ([]proto.Message, error) {
	mounts, err := h.Mounts()
	if err != nil {
		return nil, err
	}
	volumes, apfsErr := apfsVolumes(ctx, h)
	if errors.Is(apfsErr, host.ErrUnsupported) {
		apfsErr = nil
	}
	encrypted := apfsErr == nil && len(volumes) == 0 && fileVaultOn(ctx, h)
	var items []proto.Message
	for _, m := range mounts {
		if !m.Local || !strings.HasPrefix(m.Device, "/dev/") || m.Hidden && m.Point != macData {
			continue
		}
		item := &inventoryv1.Volume{
			MountPoint: m.Point,
			Device:     m.Device,
			FsType:     m.Type,
			TotalBytes: proto.Uint64(m.Total),
			FreeBytes:  proto.Uint64(m.Free),
			IsSystem:   proto.Bool(m.Point == "/"),
		}
		v, ok := volumes[deviceOf(m.Device, volumes)]
		if ok {
			item.Label, item.Uuid = v.Name, strings.ToLower(v.UUID)
		}
		if v.FileVault || encrypted && m.Point == "/" {
			item.EncryptionMethod = fileVault
		}
		items = append(items, item)
	}
	if len(items) == 0 && apfsErr == nil {
		apfsErr = errors.New("no volume is mounted")
	}
	return items, apfsErr
}

// apfsVolume is a volume in the output of diskutil.
type apfsVolume struct {
	Device    string `plist:"DeviceIdentifier"` // e.g. "disk3s5"
	Name      string `plist:"Name"`
	UUID      string `plist:"APFSVolumeUUID"`
	FileVault bool   `plist:"FileVault"`
}

// apfsVolumes returns the volumes by device.
func apfsVolumes(ctx context.Context, h *host.Host) (map[string]apfsVolume, error) {
	data, err := h.Output(ctx, host.VolumeGroups)
	if err != nil {
		return nil, err
	}
	return parseAPFS(data)
}

func parseAPFS(data []byte) (map[string]apfsVolume, error) {
	var list struct {
		Containers []struct {
			Volumes []apfsVolume `plist:"Volumes"`
		} `plist:"Containers"`
	}
	if err := plist.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("list of APFS volumes: %w", err)
	}
	volumes := map[string]apfsVolume{}
	for _, c := range list.Containers {
		for _, v := range c.Volumes {
			volumes[v.Device] = v
		}
	}
	return volumes, nil
}

// deviceOf returns the device of a volume. The system volume is mounted from a snapshot, whose
// device is below the volume's: disk3s1s1 is a snapshot of disk3s1.
func deviceOf(device string, volumes map[string]apfsVolume) string {
	name := strings.TrimPrefix(device, "/dev/")
	if _, ok := volumes[name]; ok {
		return name
	}
	if at := strings.LastIndexByte(name, 's'); at > len("disk") {
		return name[:at]
	}
	return name
}

// fileVaultOn reports whether the disk of a Mac without APFS is encrypted.
func fileVaultOn(ctx context.Context, h *host.Host) bool {
	out, err := h.Output(ctx, host.FileVaultStatus)
	return err == nil && strings.HasPrefix(string(out), "FileVault is On.")
}
