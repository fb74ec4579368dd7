package api

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"testing"

	"github.com/musterhq/muster/internal/inventory"
)

const purchases = "Serial,Maker,Kind,Bought\nSN-1001,Lenovo,Notebook,02.01.2026\nSN-1002,Lenovo,Notebook,31.02.2026\n"

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
