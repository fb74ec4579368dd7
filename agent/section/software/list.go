package software

import (
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

// list collects the section's items. It keeps strings that many packages share only once.
type list struct {
	release release
	kept    map[string]kept // by a file of the database; nil: nothing is kept
	items   []proto.Message
	shared  map[string]string
	scratch []byte
	user    bool // the items belong to a person
}

func newList(r release) *list { return &list{release: r, shared: map[string]string{}} }

// found is a package as its database describes it. The byte slices are valid only during the call.
// Empty and zero fields are unknown.
type found struct {
	name, version, arch, publisher []byte
	state                          string // as in the item
	installed                      time.Time
	sizeBytes                      uint64
	hasSize                        bool
	location                       string // path of the installation
}

// row allocates an item together with the values it points to.
type row struct {
	item      inventoryv1.Software
	installed timestamppb.Timestamp
	sizeBytes uint64
}

func (l *list) add(source string, kind purlKind, p found) {
	r := &row{sizeBytes: p.sizeBytes}
	item := &r.item
	item.Source = source
	item.Name = text(p.name)
	item.Version = text(p.version)
	item.State = p.state
	item.Arch = l.share(p.arch)
	item.Publisher = l.share(p.publisher)
	l.scratch = kind.appendPURL(l.scratch[:0], l.release, p.name, p.version, p.arch)
	item.Purl = string(l.scratch)
	item.InstallLocation = p.location
	if l.user {
		item.Scope = "user"
	}
	if !p.installed.IsZero() {
		r.installed.Seconds = p.installed.Unix()
		item.InstallDate = &r.installed
	}
	if p.hasSize {
		item.SizeBytes = &r.sizeBytes
	}
	l.items = append(l.items, item)
}

func (l *list) share(b []byte) string {
	if s, ok := l.shared[string(b)]; ok {
		return s
	}
	s := text(b)
	l.shared[string(b)] = s
	return s
}

// text returns b as valid UTF-8, which a message requires.
func text(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }
