package software

import (
	"fmt"
	"strings"
)

// maxExamples bounds the error messages that are kept of similar errors.
const maxExamples = 3

// damage counts the entries that could not be read and keeps the first errors.
type damage struct {
	count    int
	examples []error
}

func (d *damage) add(err error) {
	d.count++
	if len(d.examples) < maxExamples {
		d.examples = append(d.examples, err)
	}
}

// err returns one error for all of the damage, or nil if there was none.
func (d *damage) err(what string) error {
	if d.count == 0 {
		return nil
	}
	words := make([]string, len(d.examples))
	for i, err := range d.examples {
		words[i] = err.Error()
	}
	return fmt.Errorf("%d %s: %s", d.count, what, strings.Join(words, "; "))
}
