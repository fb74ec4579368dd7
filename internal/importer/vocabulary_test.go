package importer

import "testing"

// TestWordsMeanOneThing: a column name and a word for a class have one meaning, whatever the order
// of a map.
func TestWordsMeanOneThing(t *testing.T) {
	t.Parallel()
	attributes := map[string]string{}
	add := func(word, meaning string) {
		if other := attributes[fold(word)]; other != "" && other != meaning {
			t.Errorf("the column %q is both %s and %s", word, other, meaning)
		}
		attributes[fold(word)] = meaning
	}
	for name, w := range words.Attributes {
		for _, word := range append(w.Names, name) {
			add(word, name)
		}
	}
	for _, word := range words.Class.Names {
		add(word, classColumn)
	}
	classes := map[string]string{}
	for class, synonyms := range words.Classes {
		for _, word := range append(synonyms, class) {
			if other := classes[fold(word)]; other != "" && other != class {
				t.Errorf("the class %q is both %s and %s", word, other, class)
			}
			classes[fold(word)] = class
		}
	}
	for _, key := range words.Key {
		if _, known := words.Attributes[key]; !known {
			t.Errorf("the key %q is not an attribute", key)
		}
	}
}

// TestEveryFormatHasAReader: the table of formats and that of their readers have the same rows.
func TestEveryFormatHasAReader(t *testing.T) {
	t.Parallel()
	for _, name := range Formats() {
		if readers[name].read == nil {
			t.Errorf("format %s has no reader", name)
		}
	}
	if len(readers) != len(Formats()) {
		t.Errorf("%d readers for %d formats", len(readers), len(Formats()))
	}
}
