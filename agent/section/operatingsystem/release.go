package operatingsystem

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// release identifies the distribution: first by os-release(5), then by older files, which have
// additional detail.
func release(h *host.Host, os *inventoryv1.OperatingSystem) error {
	var errs []error
	for _, name := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		text, err := readText(h, name)
		if err == nil {
			osRelease(assignments(text), os)
			break
		}
		if !absent(err) {
			errs = append(errs, err)
		}
	}
	for _, file := range olderFiles {
		text, err := readText(h, file.name)
		switch {
		case err == nil:
			file.read(text, os)
		case !errors.Is(err, fs.ErrNotExist):
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func osRelease(vars map[string]string, os *inventoryv1.OperatingSystem) {
	os.Name = vars["NAME"]
	os.Id = vars["ID"]
	os.Version = vars["VERSION_ID"]
	if os.Version == "" {
		os.Version, _, _ = strings.Cut(vars["VERSION"], " ")
	}
	os.Edition = vars["VARIANT"]
	setIfEmpty(&os.Edition, vars["VARIANT_ID"])
	os.Build = vars["BUILD_ID"]
	os.DisplayName = vars["PRETTY_NAME"]
	if codename, known := vars["VERSION_CODENAME"]; known {
		os.Codename = codename
	} else {
		os.Codename = parenthesized(vars["VERSION"], os.Edition)
	}
}

// parenthesized returns the single word in the parentheses of a version: "Maipo" for "7.7 (Maipo)".
// It is the code name unless it is the edition, as in "40 (Silverblue)", or more than one word.
func parenthesized(version, edition string) string {
	_, after, _ := strings.Cut(version, "(")
	inside, _, closed := strings.Cut(after, ")")
	if !closed || strings.ContainsAny(inside, " \t") || inside != "" && strings.HasPrefix(edition, inside) {
		return ""
	}
	return inside
}
