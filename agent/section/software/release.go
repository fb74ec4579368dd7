package software

import (
	"bytes"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// release identifies the distribution of the packages, from os-release(5).
type release struct {
	id, version, codename string
}

// maxRelease bounds os-release, in bytes; a typical one has 300.
const maxRelease = 64 << 10

// readRelease returns the zero release if there is no os-release. The packages then have no package
// URLs.
func readRelease(h *host.Host) release {
	for _, name := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		if data, err := h.ReadFile(name, maxRelease); err == nil {
			return parseRelease(data)
		}
	}
	return release{}
}

func parseRelease(data []byte) release {
	var r release
	for line := range bytes.Lines(data) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		value = strings.Trim(value, `"'`)
		switch key {
		case "ID":
			r.id = value
		case "VERSION_ID":
			r.version = value
		case "VERSION_CODENAME":
			r.codename = value
		}
	}
	return r
}

// distro returns the value of the qualifier "distro": the codename if it is wanted and known, else
// the ID and the first components of the version.
func (r release) distro(codename bool, parts int) string {
	if codename && r.codename != "" {
		return r.codename
	}
	if r.version == "" {
		return ""
	}
	end := 0
	for ; parts > 0 && end < len(r.version); parts-- {
		if end > 0 {
			end++ // the dot
		}
		if dot := strings.IndexByte(r.version[end:], '.'); dot >= 0 {
			end += dot
		} else {
			end = len(r.version)
		}
	}
	return r.id + "-" + r.version[:end]
}
