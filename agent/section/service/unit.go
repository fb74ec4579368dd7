package service

import "strings"

// unit is the part of a unit file and its drop-ins that is used (systemd.unit(5)).
type unit struct {
	description     string
	execStart       string // of the first command
	user            string
	aliases         []string // names that "enable" would link
	defaultInstance string
	wanted          bool // [Install] has aliases or names units that want this one
	also            bool // [Install] names other units only
}

// apply reads one file into the unit. A drop-in changes what earlier files have set.
func (u *unit) apply(text string) {
	section := ""
	for line := range logicalLines(text) {
		if line[0] == '[' {
			section = line
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if !found {
			continue
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch section {
		case "[Unit]":
			if key == "Description" {
				u.description = value
			}
		case "[Service]":
			u.set(key, value)
		case "[Install]":
			u.install(key, value)
		}
	}
}

func (u *unit) set(key, value string) {
	switch key {
	case "ExecStart":
		if value == "" || u.execStart == "" { // an empty value resets what was set before
			u.execStart = value
		}
	case "User":
		u.user = value
	}
}

func (u *unit) install(key, value string) {
	switch key {
	case "Alias":
		u.aliases = append(u.aliases, strings.Fields(value)...)
		u.wanted = u.wanted || value != ""
	case "WantedBy", "RequiredBy", "UpheldBy":
		u.wanted = u.wanted || value != ""
	case "Also":
		u.also = u.also || value != ""
	case "DefaultInstance":
		u.defaultInstance = value
	}
}

// logicalLines yields the lines without comments. A line that ends with a backslash continues in
// the next one, also across comments (systemd.syntax(7)).
func logicalLines(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		var pending strings.Builder
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if line == "" && pending.Len() == 0 || line != "" && (line[0] == '#' || line[0] == ';') {
				continue
			}
			if head, more := strings.CutSuffix(line, `\`); more {
				pending.WriteString(head)
				pending.WriteByte(' ')
				continue
			}
			if pending.Len() > 0 {
				line = strings.TrimSpace(pending.String() + line)
				pending.Reset()
			}
			if line != "" && !yield(line) {
				return
			}
		}
	}
}

// executable returns the program of a command line: its first word without the prefixes that modify
// its start (systemd.service(5), "Command lines") and without quotes.
func executable(commandLine string) string {
	text := strings.TrimLeft(commandLine, "@-:+!|")
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		if inside, _, closed := strings.Cut(text[1:], text[:1]); closed {
			return inside
		}
	}
	word, _, _ := strings.Cut(text, " ")
	word, _, _ = strings.Cut(word, "\t")
	return word
}
