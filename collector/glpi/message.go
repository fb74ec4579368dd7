package glpi

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
)

// message is what a message says of itself.
type message struct {
	json    bool     // of a GLPI agent; otherwise XML
	contact bool     // it asks what there is to do
	tasks   []string // that the agent could do, where it says so
}

// look finds out what a message is. One that cannot be read is an inventory here: whoever reads that says what is wrong.
func look(text []byte) message {
	if bytes.HasPrefix(bytes.TrimLeft(text, "\ufeff \t\r\n"), []byte("{")) {
		return lookJSON(text)
	}
	return message{contact: xmlQuery(text) == "PROLOG"}
}

// lookJSON reads the head of a message of a GLPI agent, as its contact request has it.
func lookJSON(text []byte) message {
	var head struct {
		Action string   `json:"action"`
		Tasks  []string `json:"enabled-tasks"` //nolint:tagliatelle // the agent's name
	}
	if json.Unmarshal(text, &head) != nil || head.Action != "contact" {
		return message{json: true}
	}
	return message{json: true, contact: true, tasks: head.Tasks}
}

// xmlQuery gives the element QUERY of the message. It stops at the CONTENT, which only inventories have, and which often
// comes first; "" then.
func xmlQuery(text []byte) string {
	decoder := xml.NewDecoder(bytes.NewReader(text))
	decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return latin1{r}, nil }
	for {
		token, err := decoder.Token()
		if err != nil {
			return ""
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "CONTENT":
			return ""
		case "QUERY":
			var query string
			_ = decoder.DecodeElement(&query, &start) // an unknown query is none
			return strings.ToUpper(strings.TrimSpace(query))
		}
	}
}

// latin1 reads any encoding that has ASCII in its place; what else there is, nobody looks at here.
type latin1 struct{ io.Reader }

// Read implements io.Reader: each byte becomes a character, which takes two bytes at most.
func (l latin1) Read(p []byte) (int, error) {
	if len(p) < 2 {
		return 0, io.ErrShortBuffer // the decoder reads by the page
	}
	raw := make([]byte, len(p)/2)
	n, err := l.Reader.Read(raw)
	text := p[:0]
	for _, c := range raw[:n] {
		text = append(text, string(rune(c))...)
	}
	return len(text), err
}

// format is the name of the format in which an inventory is to be read. OCS and FusionInventory differ in little, and
// only the program's name tells which it is.
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
