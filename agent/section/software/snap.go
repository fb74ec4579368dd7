package software

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// snapRoots are the directories in which distributions mount snaps, each as NAME/REVISION with a
// link NAME/current.
var snapRoots = []string{"/snap", "/var/lib/snapd/snap"}

const (
	// snapFiles has the file NAME_REVISION.snap of each mounted snap.
	snapFiles = "/var/lib/snapd/snaps"
	// snapAssertions are statements that the store has signed.
	snapAssertions = "/var/lib/snapd/assertions/asserts-v0" //nolint:gosec // a directory, no credential
)

// maxSnapMeta bounds snap.yaml and an assertion, in bytes. Large snaps declare hundreds of
// interfaces.
const maxSnapMeta = 1 << 20

// collectSnap adds the current revision of each snap. There is no package URL type for snaps. The
// content of a snap is visible only while the snap is mounted; of another disk, the version is
// unknown.
func collectSnap(ctx context.Context, h *host.Host, l *list) error {
	root := ""
	for _, name := range snapRoots {
		if entries, err := h.ReadDir(name); err == nil && len(entries) > 0 {
			root = name
			break
		}
	}
	if root == "" {
		return errAbsent
	}
	return l.readStable(h, []string{root, snapFiles}, func() error { return readSnaps(ctx, h, l, root) })
}

func readSnaps(ctx context.Context, h *host.Host, l *list, root string) error {
	entries, err := h.ReadDir(root)
	if err != nil {
		return err
	}
	publishers := snapPublishers(h)
	var broken damage
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := entry.Name()
		revision, err := h.Readlink(root + "/" + name + "/current")
		if err != nil { // README, bin, and snaps that are removed
			continue
		}
		p := found{name: []byte(name), publisher: []byte(publishers[name])}
		meta, err := h.ReadFile(root+"/"+name+"/"+revision+"/meta/snap.yaml", maxSnapMeta)
		switch {
		case err == nil:
			p.version = []byte(topScalar(meta, "version"))
			p.arch = []byte(snapArch(meta))
		case !errors.Is(err, fs.ErrNotExist) || h.Live():
			broken.add(fmt.Errorf("%s: %w", name, err))
		}
		if info, err := h.Stat(snapFiles + "/" + name + "_" + revision + ".snap"); err == nil {
			p.installed, p.sizeBytes, p.hasSize = info.ModTime(), uint64(max(0, info.Size())), true
		}
		l.add("snap", purlNone, p)
	}
	return broken.err("unreadable snaps")
}

// topScalar returns the value of a line "key: value" of a YAML file that is not indented. snapd
// writes the values that are read here as plain or quoted text.
func topScalar(data []byte, key string) string {
	for line := range bytes.Lines(data) {
		rest, ok := bytes.CutPrefix(line, []byte(key))
		if !ok || len(rest) == 0 || rest[0] != ':' {
			continue
		}
		value := strings.TrimSpace(string(rest[1:]))
		if n := len(value); n >= 2 && (value[0] == '\'' || value[0] == '"') && value[n-1] == value[0] {
			return value[1 : n-1]
		}
		value, _, _ = strings.Cut(value, " #")
		return strings.TrimSpace(value)
	}
	return ""
}

// snapArch returns the architecture if there is exactly one: "architectures: [amd64]", or lines "-
// amd64" below the key.
func snapArch(data []byte) string {
	if inline := topScalar(data, "architectures"); inline != "" {
		list := strings.Split(strings.Trim(inline, "[]"), ",")
		if len(list) == 1 {
			return strings.TrimSpace(list[0])
		}
		return ""
	}
	_, after, ok := bytes.Cut(data, []byte("\narchitectures:\n"))
	if !ok {
		return ""
	}
	arch, count := "", 0
	for line := range bytes.Lines(after) {
		item, ok := strings.CutPrefix(strings.TrimSpace(string(line)), "- ")
		if !ok {
			break
		}
		arch, count = strings.TrimSpace(item), count+1
	}
	if count != 1 {
		return ""
	}
	return arch
}

// snapPublishers returns the display names of the publishers by the names of their snaps.
func snapPublishers(h *host.Host) map[string]string {
	const declarations = snapAssertions + "/snap-declaration/16" // 16 is the series, the only one
	names := map[string]string{}
	entries, err := h.ReadDir(declarations)
	if err != nil { // snaps that were not installed from the store have none
		return names
	}
	accounts := map[string]string{}
	for _, entry := range entries {
		declaration := assertion(h, declarations+"/"+entry.Name())
		id := topScalar(declaration, "publisher-id")
		if id == "" || strings.Contains(id, "/") {
			continue
		}
		if _, read := accounts[id]; !read {
			accounts[id] = topScalar(assertion(h, snapAssertions+"/account/"+id), "display-name")
		}
		names[topScalar(declaration, "snap-name")] = accounts[id]
	}
	return names
}

// assertion returns the headers of an assertion, lines "name: value" before an empty line. The file
// is "active", or "active.N" for the format N of the assertion; the highest is used.
func assertion(h *host.Host, directory string) []byte {
	entries, err := h.ReadDir(directory)
	if err != nil {
		return nil
	}
	name := ""
	for _, entry := range entries { // sorted by name
		if strings.HasPrefix(entry.Name(), "active") {
			name = entry.Name()
		}
	}
	data, err := h.ReadFile(directory+"/"+name, maxSnapMeta)
	if err != nil {
		return nil
	}
	headers, _, _ := bytes.Cut(data, []byte("\n\n"))
	return headers
}
