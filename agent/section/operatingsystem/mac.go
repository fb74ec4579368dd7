package operatingsystem

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/plist"
	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const (
	systemVersion = "/System/Library/CoreServices/SystemVersion.plist"
	macID         = "macos"
)

// macRelease reads the release of macOS.
func macRelease(h *host.Host, os *inventoryv1.OperatingSystem) error {
	data, err := h.ReadFile(systemVersion, maxText)
	if err != nil {
		return err
	}
	var release struct {
		Name    string `plist:"ProductName"`
		Version string `plist:"ProductVersion"`
		Build   string `plist:"ProductBuildVersion"`
	}
	if err := plist.Unmarshal(data, &release); err != nil {
		return fmt.Errorf("read %s: %w", systemVersion, err)
	}
	os.Id = macID
	os.Name, os.Version, os.Build = release.Name, release.Version, release.Build
	os.DisplayName = strings.TrimSpace(release.Name + " " + release.Version)
	return nil
}

// FromProfile returns the system that a report of system_profiler describes.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	for n := range report.All("SPSoftwareDataType") {
		display, build, _ := strings.Cut(n.Text("os_version", "System Version"), " (")
		at := strings.LastIndexByte(display, ' ')
		if at < 0 {
			continue
		}
		_, kernel, _ := strings.Cut(n.Text("kernel_version", "Kernel Version"), " ") // after "Darwin"
		return []proto.Message{&inventoryv1.OperatingSystem{
			Id: macID, Name: display[:at], Version: display[at+1:], Build: strings.TrimSuffix(build, ")"),
			DisplayName: display, Kernel: kernel,
		}}, nil
	}
	return nil, fmt.Errorf("the report does not describe the system: %w", host.ErrUnsupported)
}
