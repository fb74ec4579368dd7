package software

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/plist"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// appFolders are where macOS has applications for all users. Folders in them may have more.
var appFolders = []string{"/Applications", "/System/Applications"}

// userHomes is where macOS has the homes of users; each may have a folder Applications.
const userHomes = "/Users"

// Bounds of the search for applications. A developer's Mac has about 500.
const (
	maxFolderDepth = 3
	maxBundles     = 5000
	maxInfo        = 1 << 20 // of an Info.plist, in bytes
)

// bundleInfo is the part of an application's Info.plist that the section needs.
type bundleInfo struct {
	Version    string `plist:"CFBundleShortVersionString"`
	Build      string `plist:"CFBundleVersion"`
	Executable string `plist:"CFBundleExecutable"`
}

// bundles is a search for applications.
type bundles struct {
	host   *host.Host
	list   *list
	count  int
	damage damage
}

func collectBundles(ctx context.Context, h *host.Host, l *list) error {
	b := &bundles{host: h, list: l}
	found := false
	for _, folder := range appFolders {
		exists, err := b.folder(ctx, folder, "", maxFolderDepth)
		if err != nil {
			return err
		}
		found = found || exists
	}
	if !found {
		return errAbsent
	}
	users, err := h.ReadDir(userHomes)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.damage.add(err)
	}
	for _, user := range users {
		if !user.IsDir() {
			continue
		}
		folder := path.Join(userHomes, user.Name(), "Applications")
		if _, err := b.folder(ctx, folder, "user", maxFolderDepth); err != nil {
			return err
		}
	}
	return b.damage.err("applications or folders could not be read")
}

// folder adds the applications of a folder and of the folders in it. It follows no links: a user
// could make one to any file.
func (b *bundles) folder(ctx context.Context, name, scope string, depth int) (exists bool, err error) {
	if info, err := b.host.Lstat(name); err != nil || !info.IsDir() {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			b.damage.add(err)
		}
		return false, nil
	}
	entries, err := b.host.ReadDir(name)
	if err != nil {
		b.damage.add(err)
		return true, nil
	}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return true, err
		}
		if !entry.IsDir() {
			continue
		}
		full := path.Join(name, entry.Name())
		if app, ok := strings.CutSuffix(entry.Name(), ".app"); ok {
			if b.count++; b.count > maxBundles {
				return true, fmt.Errorf("more than %d applications", maxBundles)
			}
			b.add(full, app, scope)
		} else if depth > 1 {
			if _, err := b.folder(ctx, full, scope, depth-1); err != nil {
				return true, err
			}
		}
	}
	return true, nil
}

// add adds the application in a folder with the suffix .app. It leaves out one without an
// Info.plist, such as an application of an iPad, whose Info.plist is deeper.
func (b *bundles) add(dir, name, scope string) {
	contents := dir + "/Contents"
	info, err := b.info(contents)
	if errors.Is(err, fs.ErrNotExist) {
		contents = dir + "/Wrapper/" + name + ".app"
		info, err = b.info(contents)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil { // the application is there even if its version is not known
		b.damage.add(err)
	}
	item := &inventoryv1.Software{
		Source: "app_bundle", Name: text([]byte(name)), Version: text([]byte(info.Version)), Scope: scope,
		InstallLocation: text([]byte(dir)),
	}
	if item.Version == "" {
		item.Version = text([]byte(info.Build))
	}
	if strings.HasPrefix(dir, "/System/") { // on the sealed volume, which only Apple can write
		item.Publisher = "Apple"
	}
	if info.Executable != "" && !strings.Contains(info.Executable, "/") {
		item.Arch = b.arch(contents + "/MacOS/" + info.Executable)
	}
	b.list.items = append(b.list.items, item)
}

func (b *bundles) info(contents string) (bundleInfo, error) {
	var info bundleInfo
	name := contents + "/Info.plist"
	if err := b.regular(contents, name); err != nil {
		return info, err
	}
	data, err := b.host.ReadFile(name, maxInfo)
	if err != nil {
		return info, err
	}
	if err := plist.Unmarshal(data, &info); err != nil {
		return bundleInfo{}, fmt.Errorf("%s: %w", name, err)
	}
	return info, nil
}

// regular reports an error unless name is a regular file in a folder, without links.
func (b *bundles) regular(folder, name string) error {
	dir, err := b.host.Lstat(folder)
	if err != nil {
		return err
	}
	file, err := b.host.Lstat(name)
	if err != nil {
		return err
	}
	if !dir.IsDir() || !file.Mode().IsRegular() {
		return fmt.Errorf("%s: not a regular file", name)
	}
	return nil
}

// arch returns the architecture of an executable in the kernel's terms, "universal" if it has
// several, or "" if it is not known.
func (b *bundles) arch(name string) string {
	if b.regular(path.Dir(name), name) != nil {
		return ""
	}
	var head [4096]byte // a universal file begins with a table of its parts
	data, _ := b.host.ReadInto(name, head[:])
	return machArch(data)
}

// The magic numbers and processor types of Mach-O files (mach-o/loader.h, mach-o/fat.h).
const (
	magic64 = 0xFEEDFACF
	magic32 = 0xFEEDFACE
	magicFa = 0xCAFEBABE
	maxFat  = 20 // the magic number is also that of Java classes, whose next number is larger
)

var machNames = map[uint32]string{7: "i386", 7 | 1<<24: "x86_64", 12 | 1<<24: "arm64", 18: "ppc", 18 | 1<<24: "ppc64"}

func machArch(head []byte) string {
	const words = 8
	if len(head) < words {
		return ""
	}
	switch {
	case binary.LittleEndian.Uint32(head) == magic64, binary.LittleEndian.Uint32(head) == magic32:
		return machNames[binary.LittleEndian.Uint32(head[4:])]
	case binary.BigEndian.Uint32(head) == magic32, binary.BigEndian.Uint32(head) == magic64:
		return machNames[binary.BigEndian.Uint32(head[4:])]
	case binary.BigEndian.Uint32(head) != magicFa:
		return ""
	}
	count := binary.BigEndian.Uint32(head[4:])
	if count == 0 || count > maxFat {
		return ""
	}
	if count > 1 {
		return universal
	}
	if len(head) < words+4 {
		return ""
	}
	return machNames[binary.BigEndian.Uint32(head[words:])]
}

// universal is the architecture of a program that is built for several.
const universal = "universal"
