package e2e

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
)

// importFile imports a file with the real program. It returns the output and whether it succeeded.
func (c *collector) importFile(t testing.TB, args ...string) (out string, ok bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), built.collector, append([]string{
		"import", "--server", c.base, "--token-file", filepath.Join(c.dir, "admin.token"),
	}, args...)...)
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(text), err == nil
}

func (c *collector) mustImport(t testing.TB, args ...string) {
	t.Helper()
	if out, ok := c.importFile(t, args...); !ok {
		t.Fatalf("import %v: %s", args, out)
	}
}

type cmdbItem struct {
	ID         string         `json:"id"`
	Class      string         `json:"class"`
	Name       string         `json:"name"`
	Attributes map[string]any `json:"attributes"`
}

// TestOrderedImportedSplitAndUndone follows a laptop from its purchase order through a report of
// another tool's agent to a mistake that is undone, with the real programs only.
func TestOrderedImportedSplitAndUndone(t *testing.T) {
	t.Parallel()
	report := filepath.Join("..", "..", "..", "shared", "corpora", "inventories", "glpi-json", "computer_1.json")
	if _, err := os.Stat(report); err != nil {
		t.Skip("the corpora are not here")
	}
	c := newCollector(t, pgtest.New(t))
	orders := filepath.Join(t.TempDir(), "orders.csv")
	list := "serial_number,manufacturer,class,lifecycle_state,purchase_order\n640HP72,Dell,laptop,ordered,PO-17\n"
	if err := os.WriteFile(orders, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	c.mustImport(t, "--format", "csv", "--name", "orders", orders)
	ordered := c.laptop(t)
	if got := ordered.Attributes["lifecycle_state"]; got != "ordered" {
		t.Errorf("ordered: %v", ordered)
	}
	c.mustImport(t, "--format", "glpi-json", report)
	c.mustImport(t, "--format", "glpi-json", report)
	known := c.laptop(t)
	if known.ID != ordered.ID || known.Attributes["lifecycle_state"] != "in_use" || known.Attributes["purchase_order"] != "PO-17" || known.Name == "" {
		t.Errorf("reported: %v, ordered %v", known, ordered)
	}

	identity := get[struct {
		Text    string `json:"text"`
		Records []struct {
			Record int64  `json:"record"`
			Source string `json:"source"`
		} `json:"records"`
		Decisions []struct {
			ID     int64  `json:"id"`
			Action string `json:"action"`
		} `json:"decisions"`
	}](t, c, "/api/v1/devices/"+known.ID+"/identity")
	if len(identity.Records) != 2 || identity.Decisions[0].Action != "linked" || !strings.Contains(identity.Text, "R3") {
		t.Fatalf("identity: %+v", identity)
	}
	c.post(t, "/api/v1/devices/"+known.ID+"/split", map[string]any{"records": []int64{identity.Records[1].Record}, "reason": "a mistake"})
	if got := len(c.laptops(t)); got != 2 {
		t.Errorf("after the split there are %d laptops", got)
	}
	c.mustImport(t, "--format", "glpi-json", report)
	if got := len(c.laptops(t)); got != 2 {
		t.Errorf("the split was forgotten: there are %d laptops", got)
	}
	decisions := get[struct {
		Decisions []struct {
			ID     int64  `json:"id"`
			Action string `json:"action"`
		} `json:"decisions"`
	}](t, c, "/api/v1/devices/"+known.ID+"/identity").Decisions
	if decisions[0].Action != "split" {
		t.Fatalf("decisions: %+v", decisions)
	}
	c.post(t, "/api/v1/identity/decisions/"+strconv.FormatInt(decisions[0].ID, 10)+"/undo", map[string]any{"reason": "it was one after all"})
	if got := c.laptop(t); got.ID != known.ID || got.Name != known.Name {
		t.Errorf("after the undoing: %v, want %v", got, known)
	}
}

func (c *collector) laptops(t testing.TB) []cmdbItem {
	t.Helper()
	return list[cmdbItem](t, c, "/api/v1/cis", url.Values{"class": {"laptop"}})
}

func (c *collector) laptop(t testing.TB) cmdbItem {
	t.Helper()
	laptops := c.laptops(t)
	if len(laptops) != 1 {
		t.Fatalf("got %d laptops: %v", len(laptops), laptops)
	}
	return laptops[0]
}

func (c *collector) post(t testing.TB, path string, body any) {
	t.Helper()
	if status := c.call(t, http.MethodPost, path, body, nil); status >= http.StatusBadRequest {
		t.Fatalf("POST %s: got status %d", path, status)
	}
}

// TestImportOfABrokenFile: the program reports the position of the error and fails.
func TestImportOfABrokenFile(t *testing.T) {
	t.Parallel()
	c := newCollector(t, pgtest.New(t))
	broken := filepath.Join(t.TempDir(), "broken.xml")
	if err := os.WriteFile(broken, []byte("<REQUEST>\n<CONTENT>\n<BIOS></CONTENT></REQUEST>"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, ok := c.importFile(t, "--format", "fusioninventory-xml", broken)
	if ok || !strings.Contains(out, "line 3") {
		t.Errorf("got %v: %s", ok, out)
	}
	if got := list[cmdbItem](t, c, "/api/v1/cis", nil); len(got) > 0 {
		t.Errorf("a broken file made %v", got)
	}
}
