package glpi_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/musterhq/muster/collector/glpi"
	"github.com/musterhq/muster/internal/importer"
	"github.com/musterhq/muster/internal/inventory"
)

const password = "muster_glpi_0123456789"

// imports parses the messages of an endpoint as the collector does, and records them.
type imports struct {
	mu    sync.Mutex
	taken []string // "format native key"
	err   error    // what to answer instead
}

func (i *imports) take(_ context.Context, body io.Reader, o inventory.ImportOptions) (inventory.ImportReport, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	report := inventory.ImportReport{Format: o.Format}
	if i.err != nil {
		return report, i.err
	}
	docs, err := importer.Read(o.Format, body, importer.Options{Name: o.Name})
	if err != nil {
		return report, &inventory.Error{Code: inventory.CodeInvalid, Message: err.Error()}
	}
	for _, d := range docs {
		i.taken = append(i.taken, o.Format+" "+d.NativeKey)
		report.Documents = append(report.Documents, inventory.ImportRow{NativeKey: d.NativeKey, Outcome: "created"})
	}
	report.Created = len(docs)
	return report, nil
}

func (i *imports) list() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.taken...)
}

// options returns the options of an endpoint with one password.
func (i *imports) options() glpi.Options {
	return glpi.Options{Import: i.take, Credentials: credentials(password)}
}

// credentials returns the credentials with these passwords.
func credentials(passwords ...string) func() []glpi.Credential {
	list := make([]glpi.Credential, len(passwords))
	for i, password := range passwords {
		list[i] = glpi.Credential{Name: fmt.Sprintf("credential-%d", i), Password: sha256.Sum256([]byte(password))}
	}
	return func() []glpi.Credential { return list }
}

// corpora returns the folder of recorded inventories, which lies beside the checkout. Without it
// the test is skipped.
func corpora(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		shared := filepath.Join(dir, "..", "shared", "corpora", "inventories")
		if _, err := os.Stat(shared); err == nil {
			return shared
		}
	}
	t.Skip("the corpora are not beside the checkout: the test looks in ../shared/corpora")
	return ""
}

// corpus returns a recorded inventory.
func corpus(t testing.TB, parts ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{corpora(t)}, parts...)...))
	if err != nil {
		t.Skipf("the recorded inventory is not here: %v", err)
	}
	return text
}

// packings are the compressions that agents use.
var packings = map[string]func([]byte) []byte{
	"": func(text []byte) []byte { return text },
	"application/x-compress-zlib": func(text []byte) []byte {
		var packed bytes.Buffer
		w := zlib.NewWriter(&packed)
		_, _ = w.Write(text)
		_ = w.Close()
		return packed.Bytes()
	},
	"application/x-compress-gzip": func(text []byte) []byte {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = w.Write(text)
		_ = w.Close()
		return packed.Bytes()
	},
}

func unpack(t testing.TB, contentType string, text []byte) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(text)
	var err error
	switch contentType {
	case "application/x-compress-zlib":
		if !bytes.HasPrefix(text, []byte{0x78, 0x9c}) {
			t.Errorf("the answer begins with %x; agents know zlib by 789c", text[:2])
		}
		r, err = zlib.NewReader(r)
	case "application/x-compress-gzip":
		r, err = gzip.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

// request is a request of an agent that knows the password.
func request(body []byte, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/plugins/fusioninventory/", bytes.NewReader(body))
	r.SetBasicAuth("any", password)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// ask returns the unpacked response to a request.
func ask(t testing.TB, h http.Handler, r *http.Request) (status int, text string, header http.Header) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, unpack(t, w.Header().Get("Content-Type"), w.Body.Bytes()), w.Header()
}

const (
	prolog      = `<?xml version="1.0" encoding="UTF-8"?><REQUEST><DEVICEID>a</DEVICEID><QUERY>PROLOG</QUERY><TOKEN>12345678</TOKEN></REQUEST>`
	xmlHead     = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	agentID     = "GLPI-Agent-ID"
	someID      = "9a3f5c1e-0000-4000-8000-000000000001"
	contactText = `{"action":"contact","deviceid":"pc-1","enabled-tasks":["inventory","netdiscovery","deploy"],"name":"GLPI-Agent","version":"1.15"}`
	invitation  = `{"status":"ok","expiration":24,"tasks":{"inventory":{"server":"glpi","version":"10.0.19"}}`
)

// TestConversations has the messages of each agent in each compression, and the expected responses.
func TestConversations(t *testing.T) {
	t.Parallel()
	fusion := corpus(t, "fusioninventory-xml", "1.xml")
	computer := corpus(t, "glpi-json", "computer_1.json")
	for name, c := range map[string]struct {
		body    []byte
		headers []string
		want    string
		taken   string
	}{
		"FusionInventory asks": {[]byte(prolog), nil, xmlHead + "<REPLY><RESPONSE>SEND</RESPONSE><PROLOG_FREQ>24</PROLOG_FREQ></REPLY>\n", ""},
		"an old one asks, in its encoding": {
			[]byte("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<REQUEST>\n<DEVICEID>M\xfcnchen</DEVICEID>\n<QUERY>PROLOG</QUERY>\n</REQUEST>"),
			nil, xmlHead + "<REPLY><RESPONSE>SEND</RESPONSE><PROLOG_FREQ>24</PROLOG_FREQ></REPLY>\n", "",
		},
		"FusionInventory reports": {fusion, nil, xmlHead + "<REPLY></REPLY>\n", "fusioninventory-xml "},
		"OCS reports": {
			fusion, []string{"User-Agent", "OCS-NG_unified_unix_agent_v2.10.0", "Content-Type", "application/x-compress"},
			xmlHead + "<REPLY></REPLY>\n", "ocs-xml ",
		},
		"GLPI asks, before it knows us": {[]byte(prolog), []string{agentID, someID}, invitation + "}", ""},
		"GLPI asks": {
			[]byte(contactText), []string{agentID, someID, "GLPI-Request-ID", "0A1B2C3D"},
			invitation + `,"disabled":["netdiscovery","deploy"]}`, "",
		},
		"GLPI reports": {computer, []string{agentID, someID}, `{"status":"ok","expiration":24}`, "glpi-json "},
	} {
		for contentType, pack := range packings {
			t.Run(name+" "+contentType, func(t *testing.T) {
				t.Parallel()
				var got imports
				status, text, header := ask(t, glpi.New(got.options()), request(pack(c.body), c.headers...))
				if status != http.StatusOK || text != c.want {
					t.Errorf("got %d %s\nwant %s", status, text, c.want)
				}
				if contentType != "" && header.Get("Content-Type") != contentType {
					t.Errorf("the answer is %q, want it packed as the message was: %q", header.Get("Content-Type"), contentType)
				}
				if id := header.Get("GLPI-Request-ID"); strings.Contains(strings.Join(c.headers, " "), "0A1B2C3D") != (id == "0A1B2C3D") {
					t.Errorf("got the request id %q", id)
				}
				taken := strings.Join(got.list(), "\n")
				if !strings.HasPrefix(taken, c.taken) || c.taken == "" && taken != "" {
					t.Errorf("took %q, want %q", taken, c.taken)
				}
			})
		}
	}
}

// TestEveryRecordedInventory sends all recorded inventories.
func TestEveryRecordedInventory(t *testing.T) {
	t.Parallel()
	dir := corpora(t)
	for _, kind := range []string{"fusioninventory-xml", "glpi-json"} {
		files, err := filepath.Glob(filepath.Join(dir, kind, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files of %s: %v", kind, err)
		}
		for _, file := range files {
			if strings.Contains(file, "schema") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, wrong := importer.Read(kind, bytes.NewReader(text), importer.Options{})
			var got imports
			status, answer, _ := ask(t, glpi.New(got.options()), request(packings["application/x-compress-zlib"](text)))
			if wrong != nil {
				if status != http.StatusBadRequest || !strings.Contains(answer, "line") {
					t.Errorf("%s: got %d %s, want 400 and the position", file, status, answer)
				}
			} else if status != http.StatusOK || len(got.list()) != len(want) {
				t.Errorf("%s: got %d %s and %d documents, want %d", file, status, answer, len(got.list()), len(want))
			}
		}
	}
}

// TestRejections has messages that are rejected as a whole.
func TestRejections(t *testing.T) {
	t.Parallel()
	fusion := corpus(t, "fusioninventory-xml", "1.xml")
	zlibbed, gzipped := packings["application/x-compress-zlib"](fusion), packings["application/x-compress-gzip"](fusion)
	// A gzip file may have many members (RFC 1952 §2.2): repeating one is faster than compressing
	// 65 MiB.
	part := make([]byte, 1<<20)
	bomb := bytes.Repeat(packings["application/x-compress-gzip"](part), 65)
	noise := make([]byte, 17<<20)
	for name, c := range map[string]struct {
		body   []byte
		status int
		want   string
	}{
		"truncated zlib":       {zlibbed[:len(zlibbed)/2], http.StatusBadRequest, "unexpected EOF"},
		"truncated gzip":       {gzipped[:len(gzipped)-4], http.StatusBadRequest, "unexpected EOF"},
		"zlib with a bit less": {flip(zlibbed, len(zlibbed)-1), http.StatusBadRequest, "checksum"},
		"gzip without a body":  {[]byte{0x1f, 0x8b}, http.StatusBadRequest, "EOF"},
		"truncated XML":        {fusion[:len(fusion)/2], http.StatusBadRequest, "line"},
		"truncated JSON":       {[]byte(contactText[:40]), http.StatusBadRequest, "line 1"},
		"nothing":              {nil, http.StatusBadRequest, "the file is empty"},
		"neither XML nor JSON": {[]byte("hello"), http.StatusBadRequest, "line 1"},
		"another query": {
			[]byte("<REQUEST><DEVICEID>a</DEVICEID><QUERY>DOWNLOAD</QUERY><CONTENT></CONTENT></REQUEST>"), http.StatusBadRequest, "DOWNLOAD",
		},
		"another action": {[]byte(`{"action":"register","deviceid":"a","content":{}}`), http.StatusBadRequest, "register"},
		"a document type": {
			[]byte(`<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">]><REQUEST><QUERY>INVENTORY</QUERY><CONTENT/></REQUEST>`), http.StatusBadRequest, "document type",
		},
		"a bomb of zlib": {packings["application/x-compress-zlib"](bytes.Repeat(part, 65)), http.StatusRequestEntityTooLarge, "too large"},
		"a bomb of gzip": {bomb, http.StatusRequestEntityTooLarge, "too large"},
		"too much":       {noise, http.StatusRequestEntityTooLarge, "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got imports
			status, text, _ := ask(t, glpi.New(got.options()), request(c.body))
			if status != c.status || !strings.Contains(text, c.want) {
				t.Errorf("got %d %q, want %d and %q", status, text, c.status, c.want)
			}
			if taken := got.list(); len(taken) > 0 {
				t.Errorf("took %q, want nothing", taken)
			}
		})
	}
}

func flip(text []byte, at int) []byte {
	broken := bytes.Clone(text)
	broken[at] ^= 1
	return broken
}

// TestGLPIAgentsGetTheReason: they log the message of an error in uncompressed JSON.
func TestGLPIAgentsGetTheReason(t *testing.T) {
	t.Parallel()
	var got imports
	packed := packings["application/x-compress-zlib"]([]byte(`{"action":"inventory","content":{}}`))
	status, text, header := ask(t, glpi.New(got.options()), request(packed, agentID, someID))
	if status != http.StatusBadRequest || header.Get("Content-Type") != "application/json" || !strings.Contains(text, `"status":"error"`) ||
		!strings.Contains(text, "no device id") {
		t.Errorf("got %d %s %s", status, header.Get("Content-Type"), text)
	}
}

// TestStoreIsUnavailable: the agent must try again later, and gets no internal details.
func TestStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"plain":       errors.New("connect: connection refused"),
		"unavailable": &inventory.Error{Code: inventory.CodeUnavailable, Message: "connection refused"},
	} {
		got := imports{err: fmt.Errorf("begin: %w", err)}
		status, text, header := ask(t, glpi.New(got.options()), request([]byte("<REQUEST/>")))
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") != "60" || strings.Contains(text, "refused") {
			t.Errorf("%s: got %d %q, Retry-After %q", name, status, text, header.Get("Retry-After"))
		}
	}
}

// TestRejectedInventory: the message is well-formed, but its only document is rejected.
func TestRejectedInventory(t *testing.T) {
	t.Parallel()
	options := (&imports{}).options()
	options.Import = func(context.Context, io.Reader, inventory.ImportOptions) (inventory.ImportReport, error) {
		return inventory.ImportReport{Rejected: 1, Documents: []inventory.ImportRow{{Outcome: "rejected", Problem: "no class of that name"}}}, nil
	}
	status, text, _ := ask(t, glpi.New(options), request([]byte("<REQUEST/>")))
	if status != http.StatusBadRequest || text != "no class of that name\n" {
		t.Errorf("got %d %q", status, text)
	}
}

func TestOnlyPOST(t *testing.T) {
	t.Parallel()
	r := request(nil)
	r.Method = http.MethodGet
	status, _, header := ask(t, glpi.New((&imports{}).options()), r)
	if status != http.StatusMethodNotAllowed || header.Get("Allow") != "POST" {
		t.Errorf("got %d, Allow %q", status, header.Get("Allow"))
	}
}
