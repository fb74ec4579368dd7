package software

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/host"
)

// checkList checks that each item has a name and can be sent.
func checkList(t *testing.T, l *list) {
	t.Helper()
	for _, item := range l.items {
		if _, err := proto.Marshal(item); err != nil {
			t.Errorf("marshal %v: %v", item, err)
		}
		if r := item.ProtoReflect(); !r.Has(r.Descriptor().Fields().ByName("name")) {
			t.Errorf("no name: %v", item)
		}
	}
}

func FuzzDpkgStatus(f *testing.F) {
	f.Add([]byte(paragraph("a", "all", "1:2~rc1", "install ok installed")))
	f.Add([]byte("Package: a\r\nStatus: x\xff\r\n\r\n"))
	f.Add([]byte(":\n\n\n \nInstalled-Size: 99999999999999999999"))
	h, err := host.Tree(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := &dpkg{host: h, list: newList(release{id: "debian"})}
		p := newParagraphs(bytes.NewReader(data), true, dpkgFields...)
		for {
			more, err := p.next()
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			d.take(p, dpkgInstalled)
		}
		if p.complete != (len(data) == 0 || endsParagraph(data)) {
			t.Errorf("complete = %v at the end of %q", p.complete, data)
		}
		checkList(t, d.list)
	})
}

// endsParagraph reports whether the last line is empty and ended.
func endsParagraph(data []byte) bool {
	data, ended := bytes.CutSuffix(data, []byte("\n"))
	data, _ = bytes.CutSuffix(data, []byte("\r"))
	return ended && (len(data) == 0 || bytes.HasSuffix(data, []byte("\n")))
}

func FuzzAPKInstalled(f *testing.F) {
	f.Add([]byte("C:Q1\nP:musl\nV:1.2.4-r2\nA:noarch\nI:1\nm:x\nF:lib\nR:ld.so\na:0:0:755\n\n"))
	f.Add([]byte("P:\nP:a\nA\n\n\xff:\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := newList(release{id: "alpine", version: "3.19.1"})
		var broken damage
		p := newParagraphs(bytes.NewReader(data), false, apkFields...)
		for more, err := p.next(); more && err == nil; more, err = p.next() {
			takeAPK(l, p, &broken)
		}
		checkList(t, l)
	})
}

func FuzzRelease(f *testing.F) {
	f.Add([]byte("ID=debian\nVERSION_ID=\"12\"\n"), 2)
	f.Fuzz(func(t *testing.T, data []byte, parts int) {
		r := parseRelease(data)
		if distro := r.distro(false, parts); distro != "" && len(distro) > len(r.id)+1+len(r.version) {
			t.Errorf("distro = %q", distro)
		}
	})
}
