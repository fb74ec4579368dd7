package operatingsystem

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAssignments(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text string
		want map[string]string
	}{
		"plain":                {"ID=debian\n", map[string]string{"ID": "debian"}},
		"no newline":           {"ID=debian", map[string]string{"ID": "debian"}},
		"double quotes":        {`NAME="A \"B\" \$C \x"`, map[string]string{"NAME": `A "B" $C \x`}},
		"single quotes":        {`NAME='A \"B'`, map[string]string{"NAME": `A \"B`}},
		"joined":               {`NAME="A"' B'\ C`, map[string]string{"NAME": "A B C"}},
		"over lines":           {"NAME=\"A\nB\"\nID=x", map[string]string{"NAME": "A\nB", "ID": "x"}},
		"line continued":       {"NAME=A\\\nB\nID=x", map[string]string{"NAME": "AB", "ID": "x"}},
		"comments and blanks":  {"# NAME=no\n\n \t ID=x # y\n", map[string]string{"ID": "x"}},
		"the last one counts":  {"ID=a\nID=b\n", map[string]string{"ID": "b"}},
		"CR LF":                {"ID=a\r\nNAME=b\r\n", map[string]string{"ID": "a", "NAME": "b"}},
		"no assignment":        {"echo hello\n=x\n1A=b\nID=x\n", map[string]string{"ID": "x"}},
		"quote left open":      {"ID=x\nNAME=\"abc", map[string]string{"ID": "x", "NAME": "abc"}},
		"backslash at the end": {`ID=x\`, map[string]string{"ID": "x"}},
	} {
		if diff := cmp.Diff(tt.want, assignments(tt.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A value that is quoted by the shell's rules is read back unchanged.
func TestQuotedValuesAreReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		single := "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
		double := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(value) + `"`
		vars := assignments("A=" + single + "\nB=" + double + "\nC=c\n")
		if diff := cmp.Diff(map[string]string{"A": value, "B": value, "C": "c"}, vars); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func FuzzAssignments(f *testing.F) {
	f.Add("NAME=\"Debian GNU/Linux\"\nID=debian\n# x\nA='b'\\''c'\n")
	f.Fuzz(func(t *testing.T, text string) {
		total := 0
		for name, value := range assignments(text) {
			if variableName(name) != name || name == "" {
				t.Errorf("name %q", name)
			}
			total += len(name) + len(value)
		}
		if total > len(text) {
			t.Errorf("%d bytes of %d", total, len(text))
		}
	})
}
