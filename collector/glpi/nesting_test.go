package glpi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/musterhq/muster/collector/glpi"
)

// TestNestedMessages: a message of very many nested elements or brackets is rejected. With a state
// per level, or with work that grows with the square of the levels, the test would not end.
func TestNestedMessages(t *testing.T) {
	t.Parallel()
	const levels = 1_000_000
	h := glpi.New((&imports{}).options())
	for name, text := range map[string]string{
		"elements":           strings.Repeat("<A>", levels),
		"elements in QUERY":  "<REQUEST><QUERY>" + strings.Repeat("<A>", levels),
		"QUERY in itself":    strings.Repeat("<QUERY>", levels),
		"attributes":         "<REQUEST " + strings.Repeat(`a="b" `, levels/4) + "><QUERY>X</QUERY>",
		"arrays":             strings.Repeat("[", levels),
		"objects":            strings.Repeat(`{"action":`, levels),
		"arrays in an agent": `{"action":"inventory","content":` + strings.Repeat("[", levels),
	} {
		if status, answer, _ := ask(t, h, request([]byte(text))); status != http.StatusBadRequest {
			t.Errorf("%s: got %d %.200q, want 400", name, status, answer)
		}
	}
}

// TestPrologForms: the element QUERY is found wherever an agent puts it.
func TestPrologForms(t *testing.T) {
	t.Parallel()
	h := glpi.New((&imports{}).options())
	for _, text := range []string{
		prolog,
		"<REQUEST><QUERY>prolog</QUERY></REQUEST>",
		"<?xml version='1.0'?><REQUEST><!-- a --><DEVICEID><X>a</X></DEVICEID><QUERY> PROLOG\n</QUERY><TOKEN>1</TOKEN></REQUEST>",
	} {
		if status, answer, _ := ask(t, h, request([]byte(text))); status != http.StatusOK || !strings.Contains(answer, "SEND") {
			t.Errorf("%s: got %d %q, want to be asked for an inventory", text, status, answer)
		}
	}
}
