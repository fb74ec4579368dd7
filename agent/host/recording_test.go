package host_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/hosttest"
)

// probe asks a host everything that is about files.
func probe(t *testing.T, h *host.Host) string {
	t.Helper()
	var b strings.Builder
	note := func(what string, value any, err error) {
		b.WriteString(what + ": ")
		if text, ok := value.(string); ok {
			b.WriteString(text)
		}
		if err != nil {
			b.WriteString(" error")
			for _, kind := range []error{fs.ErrNotExist, fs.ErrPermission, host.ErrUnsupported} {
				if errors.Is(err, kind) {
					b.WriteString(": " + kind.Error())
				}
			}
		}
		b.WriteByte('\n')
	}
	for _, name := range []string{"/file", "/link", "/none", "/dir", "/con.txt", "/a:b", "/empty", "/long"} {
		data, err := h.ReadFile(name, 100)
		note("ReadFile "+name, string(data), err)
		data, err = h.ReadInto(name, make([]byte, 8))
		note("ReadInto "+name, string(data), err)
		info, err := h.Stat(name)
		if err == nil {
			note("Stat "+name, info.Mode().String()+info.ModTime().UTC().String(), nil)
		} else {
			note("Stat "+name, nil, err)
		}
		target, err := h.Readlink(name)
		note("Readlink "+name, target, err)
		f, err := h.Open(name)
		if err == nil { // a tree opens a directory, and reading it is the error
			data, err = io.ReadAll(f)
			_ = f.Close()
		}
		note("Open "+name, string(data), err)
	}
	entries, err := h.ReadDir("/")
	note("ReadDir", nil, err)
	for _, e := range entries {
		info, err := e.Info()
		note("entry", e.Name()+" "+e.Type().String()+" "+info.Mode().String(), err)
	}
	_, err = h.Kernel()
	note("Kernel", nil, err)
	return b.String()
}

func TestReplayAnswersAsTheTree(t *testing.T) {
	t.Parallel()
	tree := hosttest.Tree(t, map[string]string{
		"/file": "text", "/link": "-> file", "/dir/": "", "/con.txt": "device", "/a:b": "colon", "/empty": "",
		"/long": strings.Repeat("long ", 50),
	})
	want := probe(t, tree)
	dir := filepath.Join(t.TempDir(), "recording")
	recording, err := host.Record(tree, dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := probe(t, recording.Host()); got != want {
		t.Errorf("while recording:\n%s\nwant:\n%s", got, want)
	}
	if err := recording.Close(); err != nil {
		t.Fatal(err)
	}
	replay, err := host.Replay(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := probe(t, replay); got != want {
		t.Errorf("replay:\n%s\nwant:\n%s", got, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "files", "a%3Ab")); err != nil {
		t.Error(err)
	}
}

func TestRecordingHasNoSecrets(t *testing.T) {
	t.Parallel()
	const hidden = "S3cretV4lue"
	tree := hosttest.Tree(t, map[string]string{
		"/key":        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNza" + hidden + "\nAAAA=\n-----END OPENSSH PRIVATE KEY-----\n",
		"/shadow":     "root:$y$j9T$" + hidden + "$abcdefgh" + hidden + ":19000::::::\n",
		"/cmdline":    "/usr/bin/agent\x00--token\x00" + hidden + "\x00--password=" + hidden + "\x00--server\x00https://me:" + hidden + "@host/\x00",
		"/connection": "[wifi-security]\nkey-mgmt=wpa-psk\npsk=" + hidden + "\n",
		"/xml":        "<graphics type='vnc' passwd='" + hidden + "'/><password>" + hidden + "</password>",
		"/plist":      "<key>Password</key>\n<string>" + hidden + "</string>",
		"/json":       `{"accessToken": "` + hidden + `", "api_key":"` + hidden + `"}`,
		"/header":     "Authorization: Bearer " + hidden + hidden,
		"/jwt":        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx" + hidden + "." + hidden,
		"/plain":      "Package: passwd\nStatus: install ok installed\nExecStart=/bin/systemd-tty-ask-password-agent --wall\n",
	})
	dir := filepath.Join(t.TempDir(), "recording")
	recording, err := host.Record(tree, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/key", "/shadow", "/cmdline", "/connection", "/xml", "/plist", "/json", "/header", "/jwt", "/plain"} {
		want, err := tree.ReadFile(name, 1000)
		if err != nil {
			t.Fatal(err)
		}
		got, err := recording.Host().ReadFile(name, 1000)
		if err != nil || len(got) != len(want) {
			t.Errorf("%s: %d bytes, %v; want %d", name, len(got), err, len(want))
		}
		if strings.Contains(string(got), hidden) {
			t.Errorf("%s has a secret: %q", name, got)
		}
		if name == "/plain" && string(got) != string(want) {
			t.Errorf("%s is %q, want it unchanged", name, got)
		}
	}
	if err := recording.Close(); err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		if strings.Contains(string(data), hidden) {
			t.Errorf("%s has a secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReplayStaysInTheRecording(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "outside")
	dir := t.TempDir()
	for name, text := range map[string]string{
		outside:                              "outside",
		filepath.Join(dir, "recording.json"): `{"format":1,"system":"linux"}`,
		filepath.Join(dir, "calls.jsonl"):    "",
		filepath.Join(dir, "files.jsonl"):    `{"name":"/link","content":{"value":{"bytes":7}}}`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "files", "link")); err != nil {
		t.Skip(err)
	}
	h, err := host.Replay(dir)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := h.ReadFile("/link", 100); err == nil {
		t.Errorf("read %q outside the recording", data)
	}
}

// TestEveryAnswerIsRecorded checks that the methods of Host ask the system only by way of ask,
// which records the answer. Methods that read files alone need nothing.
func TestEveryAnswerIsRecorded(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	aware := map[string]bool{ // they know of recordings
		"Live": true, "Path": true, "SMBIOS": true, "Connectors": true, "Program": true, "RequireLinux": true,
		"IsWindows": true, "IsMac": true,
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			method, ok := declaration.(*ast.FuncDecl)
			if !ok || method.Recv == nil || aware[method.Name.Name] {
				continue
			}
			ast.Inspect(method.Body, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Live" {
					t.Errorf("%s: %s must ask the system by way of ask, so that recordings have its answer", name, method.Name.Name)
				}
				return true
			})
		}
	}
}
