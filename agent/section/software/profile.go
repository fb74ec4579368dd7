package software

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/section/profiler"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// FromProfile returns the applications that a report of system_profiler lists. The date in a report
// is that of the last change, not of the installation.
func FromProfile(report profiler.Report) ([]proto.Message, error) {
	items := profiler.Items(report, "SPApplicationsDataType", func(n *profiler.Node) *inventoryv1.Software {
		location := n.Text("path", "Location")
		if n.Name == "" || location == "" {
			return nil
		}
		item := &inventoryv1.Software{
			Source:          "app_bundle",
			Name:            n.Name,
			Version:         n.Text("version", "Version"),
			Arch:            profileArch(n),
			Publisher:       publisherOf(n.Text("signed_by", "Signed by")),
			InstallLocation: location,
		}
		if strings.HasPrefix(location, userHomes+"/") && !strings.HasPrefix(location, userHomes+"/Shared/") {
			item.Scope = "user"
		}
		return item
	})
	return profiler.Found(items, "applications")
}

// profileArch returns the architecture in the terms of bundle.go. "64-bit" and the like, which some
// releases report, do not name one.
func profileArch(n *profiler.Node) string {
	switch n.Text("arch_kind", "Kind") {
	case "arch_arm_i64", "arch_i32_i64", "Universal":
		return universal
	case "arch_arm", "Apple Silicon":
		return "arm64"
	case "arch_i64":
		return "x86_64"
	case "arch_i32":
		return "i386"
	case "Intel":
		switch n.Text("64-Bit (Intel)", "has64BitIntelCode") {
		case "Yes", "yes":
			return "x86_64"
		case "No", "no":
			return "i386"
		}
	case "PowerPC":
		return "ppc"
	}
	return ""
}

// publisherOf returns the name in the certificate with which a program is signed. Those of the App
// Store do not name the publisher.
func publisherOf(signers string) string {
	if signer, _, _ := strings.Cut(signers, ", "); signer == "Software Signing" {
		return "Apple"
	}
	for _, prefix := range []string{"Developer ID Application: ", "3rd Party Mac Developer Application: "} {
		if rest, ok := strings.CutPrefix(signers, prefix); ok {
			name, _, found := cutTeam(rest)
			if found {
				return name
			}
		}
	}
	return ""
}

const teamLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// cutTeam splits "Example, Inc. (ABCDE12345), Developer ID ..." at the identifier of the team.
func cutTeam(text string) (name, rest string, found bool) {
	const team = 10 // characters
	for at := 0; ; {
		i := strings.Index(text[at:], " (")
		if i < 0 {
			return "", "", false
		}
		at += i + len(" (")
		if len(text) > at+team && text[at+team] == ')' && strings.Trim(text[at:at+team], teamLetters) == "" {
			return text[:at-len(" (")], text[at+team+1:], true
		}
	}
}
