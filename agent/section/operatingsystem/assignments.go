package operatingsystem

import "strings"

// assignments reads NAME=value lines as /bin/sh would (os-release(5) allows this subset of the
// shell): quotes, backslashes, comments, and quoted values of several lines. It does not expand
// variables. A value followed by a blank counts as assigned, although the shell would treat it as
// the environment of a command.
func assignments(text string) map[string]string {
	vars := map[string]string{}
	for text != "" {
		text = strings.TrimLeft(text, " \t\r\n;\x00")
		name := variableName(text)
		if name == "" || len(text) == len(name) || text[len(name)] != '=' {
			_, text, _ = strings.Cut(text, "\n") // a comment or a command
			continue
		}
		vars[name], text = word(text[len(name)+1:])
		_, text, _ = strings.Cut(text, "\n")
	}
	return vars
}

func variableName(text string) string {
	i := 0
	for i < len(text) && (text[i] == '_' || 'a' <= text[i] && text[i] <= 'z' || 'A' <= text[i] && text[i] <= 'Z' ||
		i > 0 && '0' <= text[i] && text[i] <= '9') {
		i++
	}
	return text[:i]
}

// word reads one word of the shell and returns it without its quotes (POSIX.1-2024 XCU §2.2).
func word(text string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ', '\t', '\r', '\n', ';':
			return b.String(), text[i:]
		case '\'':
			end := strings.IndexByte(text[i+1:], '\'')
			if end < 0 {
				return b.String(), "" // the shell would reject the file here
			}
			b.WriteString(text[i+1 : i+1+end])
			i += end + 1
		case '"':
			i = doubleQuoted(&b, text, i+1)
		case '\\':
			if i++; i < len(text) && text[i] != '\n' {
				b.WriteByte(text[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// doubleQuoted copies the text of a double-quoted string and returns the index of its closing
// quote.
func doubleQuoted(b *strings.Builder, text string, i int) int {
	for ; i < len(text) && text[i] != '"'; i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		switch i++; text[i] {
		case '$', '`', '"', '\\':
			b.WriteByte(text[i])
		case '\n':
		default: // before any other character the backslash is literal
			b.WriteByte('\\')
			b.WriteByte(text[i])
		}
	}
	return i
}
