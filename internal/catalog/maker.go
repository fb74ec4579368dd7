package catalog

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed makers.json
var makersDocument []byte

// makers is the data that unifies the names of manufacturers.
type makers struct {
	LegalForms   []string `json:"legal_forms"`
	Places       []string `json:"places"`       // countries, regions and cities of subsidiaries
	Descriptions []string `json:"descriptions"` // words that add nothing to a name
	Companies    []struct {
		Maker string   `json:"maker"` // the one form: letters and digits
		Names []string `json:"names"` // other names: of predecessors and parts, in other languages
		PNP   []string `json:"pnp"`   // ids in the EDID of displays
	} `json:"companies"`

	endings map[string]bool
	names   map[string]string // a name without spaces → its maker
}

var builtInMakers = func() *makers {
	m := &makers{endings: map[string]bool{}, names: map[string]string{}}
	if err := json.Unmarshal(makersDocument, m); err != nil {
		panic(fmt.Errorf("makers.json: %w", err)) // it is embedded
	}
	for _, words := range [][]string{m.LegalForms, m.Places, m.Descriptions} {
		for _, word := range words {
			m.endings[word] = true
		}
	}
	for _, company := range m.Companies {
		m.names[company.Maker] = company.Maker
		for _, name := range company.Names {
			m.names[strings.ReplaceAll(name, " ", "")] = company.Maker
		}
		for _, id := range company.PNP {
			m.names[strings.ToLower(id)] = company.Maker
		}
	}
	return m
}()

// Maker returns the one form of a manufacturer's name, in letters and digits: companies have
// several names, one per country and legal form. words are the words of the name in lower case.
// A name that is not in the table keeps its words, without those at its end that identify nothing.
func Maker(words []string) string {
	m := builtInMakers
	for end := len(words); end > 0; end-- {
		name := m.withoutLegalForm(strings.Join(words[:end], ""))
		if maker, ok := m.names[name]; ok {
			return maker
		}
		if end == 1 || !m.endings[words[end-1]] {
			return name
		}
	}
	return ""
}

// withoutLegalForm removes a legal form that is written without a space, as in 富士通株式会社.
func (m *makers) withoutLegalForm(name string) string {
	for _, form := range m.LegalForms {
		if form[0] < 0x80 {
			continue
		}
		rest, cut := strings.CutSuffix(name, form)
		if !cut {
			rest, cut = strings.CutPrefix(name, form)
		}
		if cut && rest != "" {
			return m.withoutLegalForm(rest)
		}
	}
	return name
}
