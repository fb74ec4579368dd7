package importer

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"strings"
	"unicode"

	"github.com/musterhq/muster/internal/inventory"
)

//go:embed columns.json
var columnsJSON []byte

// vocabulary is the content of columns.json: well-known column names and values, in several
// languages.
type vocabulary struct {
	Attributes map[string]attributeWords `json:"attributes"`
	Class      attributeWords            `json:"class"`
	Key        []string                  `json:"key"` // attributes that can identify a row, in order of preference
	Classes    map[string][]string       `json:"classes"`
	Unknown    []string                  `json:"unknown"` // values that mean an unknown value
	True       []string                  `json:"true"`
	False      []string                  `json:"false"`
	Currencies []string                  `json:"currencies"`
}

type attributeWords struct {
	Type       string   `json:"type"` // "": text
	Identifies bool     `json:"identifies"`
	Names      []string `json:"names"`
}

var words = readWords()

func readWords() vocabulary {
	var v vocabulary
	decoder := json.NewDecoder(bytes.NewReader(columnsJSON))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		panic(err) // the file is embedded in this package
	}
	return v
}

// fold reduces a name to letters and digits in lower case, for comparison.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

func isOneOf(text string, list []string) bool {
	for _, word := range list {
		if strings.EqualFold(text, word) {
			return true
		}
	}
	return false
}

// classColumn is the pseudo-attribute of the column with the class.
const classColumn = "class"

// meanings maps folded column names to attributes. Declared attributes take precedence over
// built-in words.
func meanings(declared []inventory.Attribute) map[string]string {
	found := map[string]string{}
	add := func(name, attribute string) {
		if folded := fold(name); folded != "" && found[folded] == "" {
			found[folded] = attribute
		}
	}
	for _, a := range declared {
		add(a.Name, a.Name)
	}
	for _, a := range declared {
		add(a.Label, a.Name)
	}
	for name := range words.Attributes {
		add(name, name)
	}
	for name, w := range words.Attributes {
		for _, synonym := range w.Names { // a test ensures that synonyms are unique
			add(synonym, name)
		}
	}
	for _, name := range words.Class.Names {
		add(name, classColumn)
	}
	return found
}

// typeOf returns the type and the choices of an attribute, as inventory.Attribute has them.
func typeOf(attribute string, declared []inventory.Attribute) (valueType string, choices []string) {
	for _, a := range declared {
		if a.Name == attribute {
			return a.Type, a.Choices
		}
	}
	if known := words.Attributes[attribute].Type; known != "" {
		return known, nil
	}
	return "text", nil
}

// classOf returns the class that a word stands for.
func classOf(word string) (string, bool) {
	folded := fold(word)
	for class, synonyms := range words.Classes {
		if folded == fold(class) {
			return class, true
		}
		for _, synonym := range synonyms {
			if folded == fold(synonym) {
				return class, true
			}
		}
	}
	return "", false
}
