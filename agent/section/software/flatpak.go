package software

import (
	"bytes"
	"context"
	"html"
	"io/fs"
	"strings"

	"github.com/musterhq/muster/agent/host"
)

// flatpakSystem is the installation of all users. It has app/ID/ARCH/BRANCH/active and the same
// below runtime (flatpak(1)).
const flatpakSystem = "/var/lib/flatpak"

// maxMetainfo bounds the description of an application, in bytes. Those with many translations have
// some 100,000.
const maxMetainfo = 4 << 20

// collectFlatpak adds the applications and runtimes of all users. There is no package URL type for
// them.
func collectFlatpak(ctx context.Context, h *host.Host, l *list) error {
	if !exists(h, flatpakSystem) {
		return errAbsent
	}
	watched := []string{flatpakSystem + "/.changed", flatpakSystem + "/app", flatpakSystem + "/runtime"}
	return l.readStable(h, watched, func() error {
		var broken damage
		f := flatpaks{files: h, list: l, broken: &broken}
		for _, kind := range []string{"app", "runtime"} {
			if err := f.read(ctx, flatpakSystem+"/"+kind); err != nil {
				return err
			}
		}
		return broken.err("unreadable directories")
	})
}

// flatpaks reads one installation of flatpak.
type flatpaks struct {
	files interface {
		ReadDir(name string) ([]fs.DirEntry, error)
		ReadFile(name string, limit int64) ([]byte, error)
	}
	list   *list
	broken *damage
}

// read walks ID/ARCH/BRANCH. Beside the architectures, an ID has the link "current".
func (f flatpaks) read(ctx context.Context, directory string) error {
	for _, id := range f.directories(directory) {
		for _, arch := range f.directories(directory + "/" + id) {
			for _, branch := range f.directories(directory + "/" + id + "/" + arch) {
				if err := ctx.Err(); err != nil {
					return err
				}
				f.take(directory, id, arch, branch)
			}
		}
	}
	return nil
}

// directories returns the names of the directories in a directory, without links.
func (f flatpaks) directories(name string) []string {
	entries, err := f.files.ReadDir(name)
	if err != nil {
		f.broken.home(err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}

// take adds a ref. It has the version that its description names first, which is the newest one. A
// runtime without one has the version of its branch, such as "24.08", by which runtimes that are
// installed side by side differ.
func (f flatpaks) take(directory, id, arch, branch string) {
	active := directory + "/" + id + "/" + arch + "/" + branch + "/active"
	entries, err := f.files.ReadDir(active)
	if err != nil { // it was removed and keeps its data
		f.broken.home(err)
		return
	}
	p := found{name: []byte(id), arch: []byte(arch)}
	for _, entry := range entries {
		if entry.Name() != "deploy" { // flatpak writes it at each update
			continue
		}
		if info, err := entry.Info(); err == nil {
			p.installed = info.ModTime()
		}
	}
	for _, name := range [][2]string{
		{"metainfo/", ".metainfo.xml"}, {"metainfo/", ".appdata.xml"}, {"appdata/", ".appdata.xml"},
	} {
		data, err := f.files.ReadFile(active+"/files/share/"+name[0]+id+name[1], maxMetainfo)
		if err == nil {
			version, developer := parseMetainfo(data)
			p.version, p.publisher = []byte(version), []byte(developer)
			break
		}
	}
	if len(p.version) == 0 && strings.HasSuffix(directory, "/runtime") {
		p.version = []byte(branch)
	}
	f.list.add("flatpak", purlNone, p)
}

// parseMetainfo returns the version of the first release and the name of the developer from an
// AppStream description. It searches for the two tags, because an XML parser would take several
// milliseconds for the descriptions in all languages.
func parseMetainfo(data []byte) (version, developer string) {
	if at := tagAt(data, "release"); at >= 0 {
		if tag, _, ended := bytes.Cut(data[at:], []byte(">")); ended {
			version = attribute(tag, "version")
		}
	}
	developer = element(data, "developer_name")
	if developer != "" {
		return version, developer
	}
	if at := tagAt(data, "developer"); at >= 0 { // since AppStream 1.0
		if inside, _, ended := bytes.Cut(data[at:], []byte("</developer>")); ended {
			developer = element(inside, "name")
		}
	}
	return version, developer
}

// tagAt returns the offset after the name of the first tag with that name, or -1.
func tagAt(data []byte, name string) int {
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte("<"+name))
		if i < 0 {
			return -1
		}
		at += i + 1 + len(name)
		if at < len(data) && strings.IndexByte("> \t\r\n/", data[at]) >= 0 {
			return at
		}
	}
}

// attribute returns the value of name="value" or name='value' of a tag.
func attribute(tag []byte, name string) string {
	for word := range bytes.FieldsSeq(tag) { // no value that is read has a blank
		value, found := bytes.CutPrefix(word, []byte(name+"="))
		if found && len(value) > 1 && (value[0] == '"' || value[0] == '\'') {
			value, _, _ = bytes.Cut(value[1:], value[:1])
			return html.UnescapeString(string(value))
		}
	}
	return ""
}

// element returns the text of the first element that is not a translation.
func element(data []byte, name string) string {
	_, after, ok := bytes.Cut(data, []byte("<"+name+">"))
	if !ok {
		return ""
	}
	value, _, ended := bytes.Cut(after, []byte("</"+name+">"))
	if !ended {
		return ""
	}
	return strings.TrimSpace(html.UnescapeString(string(value)))
}
