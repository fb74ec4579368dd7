package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/importer"
	"github.com/musterhq/muster/internal/inventory"
)

const importToken = "muster_api_test"

// importAPI serves POST /api/v1/imports: it reads the file and reports that all of it is new.
type importAPI struct {
	t *testing.T

	mu   sync.Mutex
	seen []string // the query of each request that was let in
}

func (a *importAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/muster/api/v1/imports" || r.Method != http.MethodPost {
		problem(w, http.StatusNotFound, "there is no such path; see /api/docs")
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+importToken {
		problem(w, http.StatusUnauthorized, "the API token is not known here or was revoked")
		return
	}
	a.mu.Lock()
	a.seen = append(a.seen, r.URL.RawQuery)
	a.mu.Unlock()
	query := r.URL.Query()
	file, options := a.parts(r)
	options.Name = query.Get("name")
	docs, err := importer.Read(query.Get("format"), file, options)
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	report := inventory.ImportReport{Format: query.Get("format"), DryRun: query.Get("dry_run") == "true"}
	for _, d := range docs {
		row := inventory.ImportRow{Position: d.Position, NativeKey: d.NativeKey, Outcome: "created", Problem: d.Problem, Warnings: d.Warnings}
		if d.Problem == "" {
			report.Created++
		} else {
			row.Outcome = "rejected"
			report.Rejected++
		}
		report.Documents = append(report.Documents, row)
	}
	answer(w, http.StatusOK, report)
}

// parts returns the file and its options.
func (a *importAPI) parts(r *http.Request) (io.Reader, importer.Options) {
	var options importer.Options
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		a.t.Error(err)
	}
	if kind != "multipart/form-data" {
		return r.Body, options
	}
	parts := map[string][]byte{}
	for reader := multipart.NewReader(r.Body, params["boundary"]); ; {
		part, err := reader.NextPart()
		if err != nil {
			break
		}
		if parts[part.FormName()], err = io.ReadAll(part); err != nil {
			a.t.Error(err)
		}
	}
	if err := json.Unmarshal(parts["mapping"], &options.Mapping); err != nil {
		a.t.Error(err)
	}
	return bytes.NewReader(parts["file"]), options
}

func problem(w http.ResponseWriter, status int, detail string) {
	answer(w, status, map[string]any{"status": status, "detail": detail})
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// importTest is a directory with files to send and a server to send them to.
type importTest struct {
	*importAPI

	dir, server string
}

func newImportTest(t *testing.T, files map[string]string) importTest {
	t.Helper()
	e := importTest{&importAPI{t: t}, t.TempDir(), ""}
	server := httptest.NewServer(e.importAPI)
	t.Cleanup(server.Close)
	e.server = server.URL + "/muster"
	e.write("token", importToken+"\n")
	for name, text := range files {
		e.write(name, text)
	}
	return e
}

func (e importTest) write(name, text string) {
	e.t.Helper()
	if err := os.WriteFile(e.file(name), []byte(text), 0o600); err != nil {
		e.t.Fatal(err)
	}
}

func (e importTest) file(name string) string { return filepath.Join(e.dir, name) }

// run runs the command line and returns its output without the directory.
func (e importTest) run(args ...string) (string, error) {
	e.t.Helper()
	var line struct {
		Import importCommand `cmd:""`
	}
	parser, err := kong.New(&line, kong.Vars{"import_formats": strings.Join(importer.Formats(), ",")})
	if err != nil {
		e.t.Fatal(err)
	}
	args = append([]string{"import", "--server", e.server, "--token-file", e.file("token")}, args...)
	parsed, err := parser.Parse(args)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	parsed.BindTo(e.t.Context(), (*context.Context)(nil))
	parsed.BindTo(&out, (*io.Writer)(nil))
	parsed.BindTo(strings.NewReader(goodJSON), (*io.Reader)(nil))
	err = parsed.Run()
	return strings.ReplaceAll(out.String(), e.dir+string(filepath.Separator), ""), err
}

const (
	goodJSON = `{"action":"inventory","deviceid":"pc-1","content":{"hardware":{"name":"pc-1"},"sounds":[{"name":"HDA"}]}}`
	badJSON  = "{\"action\":\"inventory\",\n\"deviceid\":"
	people   = "Inventarnummer;Typ;Gekauft\nA-1;Notebook;02.01.2026\nA-2;Notebook;32.01.2026\n;Notebook;\nA-4;Notebook;\n"
	mapping  = `{"key":["Inventarnummer"],"class":{"column":"Typ","values":{"notebook":"laptop"}},
		"columns":{"Inventarnummer":"asset_tag","Gekauft":{"attribute":"purchase_date","format":"02.01.2006"}}}`
)

// TestImport has runs of the command, with what they print and how they end.
func TestImport(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"a.json": goodJSON, "b.json": badJSON, "people.csv": people, "mapping.json": mapping, "empty": "", "other": "muster_api_other",
		"evil.json": strings.ReplaceAll(goodJSON, "sounds", `sou\u001b[2Jnds`),
	}
	for name, c := range map[string]struct {
		args  []string // files are in the directory
		want  string   // printed
		err   string   // "": the command succeeds
		query string   // of every request
	}{
		"one file": {
			[]string{"--format=glpi-json", "a.json"},
			"a.json: 1 created, 0 changed, 0 unchanged, 0 rejected, warnings: 1 (-v shows them)\n", "", "format=glpi-json",
		},
		"all that matches": {
			[]string{"--format=glpi-json", "--dry-run", "[ab].json"},
			`a.json: 1 created, 0 changed, 0 unchanged, 0 rejected (dry run: nothing was changed), warnings: 1 (-v shows them)
b.json: rejected: read glpi-json: line 2, column 12: the file ends within an object or an array
2 files: 1 created, 0 changed, 0 unchanged, 0 rejected (dry run: nothing was changed), files rejected: 1, warnings: 1 (-v shows them)
`, "files rejected: 1, documents rejected: 0", "dry_run=true&format=glpi-json",
		},
		"the standard input": {
			[]string{"--format=glpi-json", "-"},
			"standard input: 1 created, 0 changed, 0 unchanged, 0 rejected, warnings: 1 (-v shows them)\n", "", "format=glpi-json",
		},
		"a table": {
			[]string{"--format=csv", "--name=it", "--mapping=mapping.json", "people.csv"},
			`people.csv: 3 created, 0 changed, 0 unchanged, 1 rejected, warnings: 1 (-v shows them)
  row 4: rejected: column "Inventarnummer": the key of the row is empty
`, "files rejected: 0, documents rejected: 1", "format=csv&name=it",
		},
		"a table with its encoding": {
			[]string{"--format=csv", "--name=it", "--mapping=mapping.json", "--encoding=windows-1252", "-v", "people.csv"},
			`people.csv: 3 created, 0 changed, 0 unchanged, 1 rejected, warnings: 1
  row 3 (A-2): warning: column "Gekauft": "32.01.2026" is not a date of the form 02.01.2006; the value was left out
  row 4: rejected: column "Inventarnummer": the key of the row is empty
`, "files rejected: 0, documents rejected: 1", "encoding=windows-1252&format=csv&name=it",
		},
		"with warnings": {
			[]string{"--format=glpi-json", "-v", "a.json"},
			`a.json: 1 created, 0 changed, 0 unchanged, 0 rejected, warnings: 1
  object 1 (pc-1): warning: ignored sections: sounds (1)
`, "", "format=glpi-json",
		},
		"what commands the terminal": {
			[]string{"--format=glpi-json", "-v", "evil.json"},
			"evil.json: 1 created, 0 changed, 0 unchanged, 0 rejected, warnings: 1\n" +
				"  object 1 (pc-1): warning: ignored sections: sou\ufffd[2jnds (1)\n", "", "format=glpi-json",
		},
		"a file that is not there":      {[]string{"--format=csv", "people.csv", "gone.csv"}, "", "gone.csv: no such file", ""},
		"a pattern that fits nothing":   {[]string{"--format=csv", "*.xls"}, "", "no such file", ""},
		"a directory":                   {[]string{"--format=csv", "."}, "", "is a directory", ""},
		"an unknown format":             {[]string{"--format=tape", "a.json"}, "", `must be one of "glpi-json"`, ""},
		"another token":                 {[]string{"--format=csv", "--token-file=other", "people.csv"}, "", "people.csv: the API rejected the token: the API token is not known", ""},
		"no token":                      {[]string{"--format=csv", "--token-file=empty", "people.csv"}, "", "is not one word", ""},
		"not a URL":                     {[]string{"--format=csv", "--server=example.com", "people.csv"}, "", "is not a URL", ""},
		"a file without certificates":   {[]string{"--format=csv", "--ca-file=mapping.json", "people.csv"}, "", "has no PEM certificate", ""},
		"a server that does not answer": {[]string{"--format=csv", "--server=http://127.0.0.1:1", "people.csv"}, "", "(0 of 1 files were sent)", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newImportTest(t, files)
			got, err := e.run(e.located(c.args)...)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("printed (-want +got):\n%s", diff)
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("got the error %v, want %q", err, c.err)
			}
			for _, query := range e.seen {
				if query != c.query {
					t.Errorf("asked for %q, want %q", query, c.query)
				}
			}
			if len(e.seen) == 0 && c.query != "" {
				t.Error("nothing was sent")
			}
		})
	}
}

// located puts the files of a command line into the directory.
func (e importTest) located(args []string) []string {
	located := make([]string, len(args))
	for i, arg := range args {
		flag, value, isFlag := strings.Cut(arg, "=")
		switch {
		case isFlag && (strings.HasSuffix(flag, "-file") || flag == "--mapping"):
			located[i] = flag + "=" + e.file(value)
		case strings.HasPrefix(arg, "-"):
			located[i] = arg
		default:
			located[i] = e.file(arg)
		}
	}
	return located
}

// TestImportOverTLS: the API's certificate is trusted if it is in the file, and otherwise not.
func TestImportOverTLS(t *testing.T) {
	t.Parallel()
	e := newImportTest(t, map[string]string{"a.json": goodJSON})
	server := httptest.NewUnstartedServer(e.importAPI)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn) // of the handshake that fails
	server.StartTLS()
	t.Cleanup(server.Close)
	e.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	args := []string{"--server", server.URL + "/muster", "--format=glpi-json", e.file("a.json")}
	if _, err := e.run(args...); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without the certificate: got %v", err)
	}
	if got, err := e.run(append(args, "--ca-file="+e.file("ca.pem"))...); err != nil || !strings.HasPrefix(got, "a.json: 1 created") {
		t.Errorf("with it: got %q, %v", got, err)
	}
}
