package glpi

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
)

// message is the type of a message and its header fields.
type message struct {
	json    bool     // the format of GLPI agents; otherwise XML
	contact bool     // it requests tasks, and has no inventory
	tasks   []string // the tasks that the agent can do, if it lists them
}

// inspect detects the type of a message. It treats a malformed message as an inventory, whose
// import returns the error.
func inspect(text []byte) message {
	if bytes.HasPrefix(bytes.TrimLeft(text, "\ufeff \t\r\n"), []byte("{")) {
		return inspectJSON(text)
	}
	return message{contact: xmlQuery(text) == "PROLOG"}
}

// inspectJSON reads the header fields of a message of a GLPI agent. The members of a contact are
// few and flat; a nested message is an inventory.
func inspectJSON(text []byte) message {
	var head struct {
		Action string   `json:"action"`
		Tasks  []string `json:"enabled-tasks"` //nolint:tagliatelle // the agent's name
	}
	if len(text) > maxContact || json.Unmarshal(text, &head) != nil || head.Action != "contact" {
		return message{json: true}
	}
	return message{json: true, contact: true, tasks: head.Tasks}
}

// maxContact is the size in bytes of the largest request for tasks. GLPI agent 1.15 sends less than
// 1 kB.
const maxContact = 64 << 10

// xmlQuery returns the element QUERY of a message, and "" if CONTENT comes first, which only
// inventories have. It reads raw tokens and stops at an element within QUERY and beyond maxLevels:
// the decoder's other methods keep a state per open element.
func xmlQuery(text []byte) string {
	decoder := xml.NewDecoder(bytes.NewReader(text))
	decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return latin1{r}, nil }
	var query []byte
	inside := false
	for depth := 0; depth <= maxLevels; {
		token, err := decoder.RawToken()
		if err != nil {
			return ""
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			if inside || token.Name.Local == "CONTENT" {
				return ""
			}
			inside = token.Name.Local == "QUERY"
		case xml.CharData:
			if inside {
				query = append(query, token...)
			}
		case xml.EndElement:
			depth--
			if inside {
				return strings.ToUpper(string(bytes.TrimSpace(query)))
			}
		}
	}
	return ""
}

// maxLevels is how deep elements before QUERY may be nested; those of agents are not nested.
const maxLevels = 32

// latin1 decodes every encoding as ISO 8859-1, which is enough to find the ASCII names of elements.
type latin1 struct{ io.Reader }

// Read implements io.Reader. A byte becomes a character of at most two bytes.
func (l latin1) Read(p []byte) (int, error) {
	if len(p) < 2 {
		return 0, io.ErrShortBuffer // the decoder reads larger blocks
	}
	raw := make([]byte, len(p)/2)
	n, err := l.Reader.Read(raw)
	text := p[:0]
	for _, c := range raw[:n] {
		text = append(text, string(rune(c))...)
	}
	return len(text), err
}

// format returns the import format of an inventory. The messages of OCS and FusionInventory look
// alike; only the User-Agent differs.
func (m message) format(userAgent string) string {
	switch {
	case m.json:
		return "glpi-json"
	case strings.HasPrefix(userAgent, "OCS-NG"):
		return "ocs-xml"
	default:
		return "fusioninventory-xml"
	}
}
