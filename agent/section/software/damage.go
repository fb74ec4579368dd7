package software

import (
	"fmt"
	"strings"
)

// maxExamples is how many of many like errors are told in words.
const maxExamples = 3

// damage counts what could not be taken into a list, and keeps the first few reasons.
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

// err tells of the damage in one error; nil if there was none.
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
