package archtest

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// words are private terms that the field's terms replaced, as regular expressions of lower-case
// words. The glossary in internal/README.md has the terms to use.
var words = []struct{ word, use string }{
	{`testif(y|ies|ied|ying)`, "apply an observation"},
	{`testimon(y|ies)`, "observation"},
	{`judge?ments?`, "identification rules, reconciliation rules"},
	{`rulings?`, "source precedence"},
	{`patience`, "staleness window"},
	{`resighted`, "observed again"},
	{`crowded`, "over-shared"},
	{`scatter(s|ed|ing)?`, "separate"},
	{`estates?`, "inventory, CMDB"},
	{`witness(es)?`, "source record"},
	{`neighborhoods?`, "candidate set"},
	{`unsettled`, "liveness-dependent"},
	{`receptions?`, "GLPI-protocol endpoint"},
}

// retiredPackages are the old names of packages.
var retiredPackages = map[string]string{"foreign": "importer", "reception": "glpi"}

// mayUse lists the files that contain retired words: the history, and this list.
var mayUse = []string{"CHANGELOG.md", "internal/archtest/words_test.go"}

// room is the name of a monitor in examples and tests, after the room it stands in.
const room = `"Reception"`

func TestWords(t *testing.T) {
	t.Parallel()
	retired := wordPattern()
	walk(t, func(path string, text []byte) {
		path = filepath.ToSlash(path)
		if !isProse(path) {
			return
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, found := range retired.FindAllString(separated(strings.ReplaceAll(line, room, "")), -1) {
				t.Errorf("%s:%d: %q is a private term; use %q", path, i+1, found, termFor(found))
			}
		}
	})
}

func TestPackageNames(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if term, retired := retiredPackages[s.file.Name.Name]; retired {
			t.Errorf("%s: package %s is named %s", s.path, s.file.Name.Name, term)
		}
	}
}

// isProse reports whether the words of a file are checked.
func isProse(path string) bool {
	return !slices.Contains(mayUse, path) && slices.Contains([]string{".go", ".sql", ".md", ".proto"}, filepath.Ext(path))
}

func wordPattern() *regexp.Regexp {
	expressions := make([]string, len(words))
	for i, w := range words {
		expressions[i] = w.word
	}
	return regexp.MustCompile(`\b(?:` + strings.Join(expressions, "|") + `)\b`)
}

func termFor(found string) string {
	for _, w := range words {
		if regexp.MustCompile(`^(?:` + w.word + `)$`).MatchString(found) {
			return w.use
		}
	}
	return ""
}

// separated returns a line in lower case with a space at each underscore and each boundary inside a
// camel-case identifier, so that the words of identifiers are whole words.
func separated(line string) string {
	var b strings.Builder
	var last rune
	for _, r := range line {
		switch {
		case r == '_':
			r = ' '
		case unicode.IsUpper(r) && unicode.IsLower(last):
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
		last = r
	}
	return b.String()
}

func TestSeparated(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"func (e *newFixture) Apply": "func (e *new fixture) apply",
		"open_fixture.sql":           "open fixture.sql",
		"HTTPServer":                 "httpserver",
		"// Plain text":              "// plain text",
	} {
		if got := separated(line); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

func TestWordPattern(t *testing.T) {
	t.Parallel()
	retired := wordPattern()
	for line, want := range map[string]bool{
		"readTestimonies(ctx)":    true,
		"the Judgments of a rule": true,
		"record_crowded bool":     true,
		"scattered records":       true,
		"scatterplot":             false,
		"impatience":              false,
	} {
		if got := retired.MatchString(separated(line)); got != want {
			t.Errorf("%q: got %t, want %t", line, got, want)
		}
	}
}
