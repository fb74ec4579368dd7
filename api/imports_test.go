package api

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/inventory"
)

const purchases = "Serial,Maker,Kind,Bought\nSN-1001,Lenovo,Notebook,02.01.2026\nSN-1002,Lenovo,Toaster,31.02.2026\n"

const purchaseMapping = `{"key": ["Serial"], "class": {"column": "Kind", "values": {"Notebook": "laptop"}},
	"columns": {"Serial": "serial_number", "Maker": "manufacturer", "Bought": {"attribute": "purchase_date", "format": "02.01.2006"}}}`

func form(t *testing.T, parts map[string]string) (body []byte, contentType string) {
	t.Helper()
	var buffer bytes.Buffer
	writer := multipart.NewWriter(&buffer)
	for name, content := range parts {
		part, err := writer.CreateFormFile(name, name)
		check(t, err)
		_, err = part.Write([]byte(content))
		check(t, err)
	}
	check(t, writer.Close())
	return buffer.Bytes(), writer.FormDataContentType()
}

func TestImportOfATable(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	body, contentType := form(t, map[string]string{"mapping": purchaseMapping, "file": purchases})
	send := func(query string) inventory.ImportReport {
		a := e.do(t, http.MethodPost, "/api/v1/imports?format=csv&name=purchases"+query, string(body), http.Header{"Content-Type": {contentType}})
		if a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		var report inventory.ImportReport
		a.decode(t, &report)
		return report
	}
	if dry := send("&dry_run=true"); dry.Created != 1 || dry.Rejected != 1 || len(items[inventory.CI](t, e, "/api/v1/cis")) != 0 {
		t.Errorf("dry run: %+v", dry)
	}
	first := send("")
	if first.Created != 1 || first.Rejected != 1 || first.Documents[1].Position != "row 3" {
		t.Errorf("first: %+v", first)
	}
	if again := send(""); again.Unchanged != 1 || again.Documents[0].CI != first.Documents[0].CI {
		t.Errorf("again: %+v", again)
	}
	if got := e.ci(t, first.Documents[0].CI, ""); got.Class != "laptop" || got.Attributes["purchase_date"] != "2026-01-02" {
		t.Errorf("imported: %+v", got)
	}
}

func TestBrokenImports(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	for name, c := range map[string]struct {
		query, body, contentType string
		status                   int
	}{
		"no format":       {"", "x", "", http.StatusBadRequest},
		"unknown format":  {"?format=tape", "x", "", http.StatusBadRequest},
		"broken JSON":     {"?format=glpi-json", `{"deviceid":`, "", http.StatusBadRequest},
		"no such part":    {"?format=csv", "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n--b--\r\n", "multipart/form-data; boundary=b", http.StatusBadRequest},
		"parts cut off":   {"?format=csv", "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nabc", "multipart/form-data; boundary=b", http.StatusBadRequest},
		"a part too few":  {"?format=csv", "--b--\r\n", "multipart/form-data; boundary=b", http.StatusBadRequest},
		"mapping is none": {"?format=csv", "--b\r\nContent-Disposition: form-data; name=\"mapping\"\r\n\r\n[]\r\n--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\na\r\n--b--\r\n", "multipart/form-data; boundary=b", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := e.do(t, http.MethodPost, "/api/v1/imports"+c.query, c.body, http.Header{"Content-Type": {c.contentType}})
			var problem Problem
			a.decode(t, &problem)
			if a.status != c.status || problem.Detail == "" {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

// TestImportDeclaresItsEncoding: the encoding is a parameter or a member of the mapping.
func TestImportDeclaresItsEncoding(t *testing.T) {
	t.Parallel()
	const list = "Serial,Location\nSN-1,K\xf6ln\n"
	e := newFixture(t)
	if a := e.do(t, http.MethodPost, "/api/v1/imports?format=csv", list, nil); a.status != http.StatusBadRequest ||
		!strings.Contains(string(a.body), "declare the encoding") {
		t.Errorf("not declared: %d %s", a.status, a.body)
	}
	body, contentType := form(t, map[string]string{"mapping": `{"encoding": "windows-1252"}`, "file": list})
	for name, a := range map[string]answer{
		"parameter": e.do(t, http.MethodPost, "/api/v1/imports?format=csv&encoding=windows-1252", list, nil),
		"mapping":   e.do(t, http.MethodPost, "/api/v1/imports?format=csv", string(body), http.Header{"Content-Type": {contentType}}),
	} {
		var report inventory.ImportReport
		a.decode(t, &report)
		if a.status != http.StatusOK || e.ci(t, report.Documents[0].CI, "").Attributes["location"] != "Köln" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

// TestImportsTogether: a token has four imports at a time. The fifth is rejected before its body is
// read, and accepted when another one has ended.
func TestImportsTogether(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	var running sync.WaitGroup
	begin := func() *io.PipeWriter {
		reader, writer := io.Pipe()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.server.URL+"/api/v1/imports?format=csv", reader)
		check(t, err)
		request.Header.Set("Authorization", "Bearer "+e.token)
		request.Header.Set("Expect", "100-continue") // the body is sent when the collector reads it
		running.Go(func() {
			client := http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Hour}}
			defer client.CloseIdleConnections()
			if response, err := client.Do(request); err == nil {
				_ = response.Body.Close()
			}
			_ = reader.Close()
		})
		return writer
	}
	var bodies []*io.PipeWriter
	for range maxImportsOfToken {
		body := begin()
		_, err := body.Write([]byte("Serial\n"))
		check(t, err)
		bodies = append(bodies, body)
	}
	const list = "Serial\nSN-1\n"
	a := e.do(t, http.MethodPost, "/api/v1/imports?format=csv", list, nil)
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
		t.Errorf("the fifth: %d %s", a.status, a.body)
	}
	for _, body := range bodies {
		check(t, body.Close())
	}
	running.Wait()
	if a := e.do(t, http.MethodPost, "/api/v1/imports?format=csv", list, nil); a.status != http.StatusOK {
		t.Errorf("after them: %d %s", a.status, a.body)
	}
}

// TestImportSlots: a token cannot take the slots of all others.
func TestImportSlots(t *testing.T) {
	t.Parallel()
	slots := importSlots{running: map[string]int{}}
	var got []bool
	for _, token := range []string{"a", "a", "a", "a", "a", "b", "b", "b", "b", "c"} {
		got = append(got, slots.take(token))
	}
	slots.release("a")
	got = append(got, slots.take("b"), slots.take("c"))
	want := []bool{true, true, true, true, false, true, true, true, true, false, false, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
}

// TestExportedValuesComeBack: a list that is exported and imported has the same values, whatever
// they begin with.
func TestExportedValuesComeBack(t *testing.T) {
	t.Parallel()
	e := newFixture(t)
	want := map[string]string{}
	for _, owner := range []string{"-", "-5", "+49 30", "=1+1", "@home", "'quoted'", "'=1", "''", "a;=b", "a,'b", "a\n-b", "O'Brien", `24" IPS`} {
		encoded, err := json.Marshal(map[string]string{"owner": owner})
		check(t, err)
		want[e.makeCI(t, "monitor", "screen", string(encoded))] = owner
	}
	list := e.get(t, "/api/v1/cis?format=csv&class=monitor")
	for ci := range want {
		send[inventory.CIDetails](t, e, "PATCH", "/api/v1/cis/"+ci, `{"attributes": {"owner": null}}`, http.StatusOK)
	}
	body, contentType := form(t, map[string]string{"mapping": `{"match": "id"}`, "file": string(list.body)})
	if a := e.do(t, http.MethodPost, "/api/v1/imports?format=csv", string(body), http.Header{"Content-Type": {contentType}}); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	got := map[string]string{}
	for ci := range want {
		got[ci], _ = e.ci(t, ci, "").Attributes["owner"].(string)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
}
