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

const macID = "macos"

// macRelease reads the release of macOS.
func macRelease(h *host.Host, os *inventoryv1.OperatingSystem) error {
	data, err := h.ReadFile(host.MacRelease, maxText)
	if err != nil {
		return err
	}
	var release struct {
		Name    string `plist:"ProductName"`
		Version string `plist:"ProductVersion"`
		Build   string `plist:"ProductBuildVersion"`
	}
	if err := plist.Unmarshal(data, &release); err != nil {
		return fmt.Errorf("read %s: %w", host.MacRelease, err)
	}
	os.Id = macID
	os.Name, os.Version, os.Build = release.Name, release.Version, release.Build
	os.DisplayName = strings.TrimSpace(release.Name + " " + release.Version)
	return nil
}

// FromProfile returns the system that a report of system_profiler describes.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	what := "the system"
	return profiler.First(report, "SPSoftwareDataType", what, func(n *profiler.Node) *inventoryv1.OperatingSystem {
		display, build, _ := strings.Cut(n.Text("os_version", "System Version"), " (")
		at := strings.LastIndexByte(display, ' ')
		if at < 0 {
			return nil
		}
		_, kernel, _ := strings.Cut(n.Text("kernel_version", "Kernel Version"), " ") // after "Darwin"
		return &inventoryv1.OperatingSystem{
			Id: macID, Name: display[:at], Version: display[at+1:], Build: strings.TrimSuffix(build, ")"),
			DisplayName: display, Kernel: kernel,
		}
	})
}
