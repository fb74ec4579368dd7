package cli

import (
	"bytes"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

type program struct {
	Show struct {
		Item   string `arg:"" help:"The item."`
		Output string `short:"o" enum:"json,table" default:"json" env:"SHOW_OUTPUT" help:"It's json or table. Not both."`
	} `cmd:"" help:"Show an item."`
	Control struct {
		Start struct{} `cmd:"" help:"Start it."`
		Stop  struct{} `cmd:"" help:"Stop it: now."`
	} `cmd:"" help:"Control it."`

	Documents
}

func document(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	parser, err := kong.New(&program{}, kong.Name("test-program"), kong.BindTo(&out, (*io.Writer)(nil)))
	if err != nil {
		t.Fatal(err)
	}
	line, err := parser.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	if err := line.Run(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestManPage(t *testing.T) {
	t.Parallel()
	page := document(t, "man")
	for _, want := range []string{
		".TH TEST-PROGRAM 1", ".SS show <item>\n", ".SS control stop\nStop it: now.\n",
		".B \\-o, \\-\\-output=\"json\"\nIt's json or table. Not both. Environment: SHOW_OUTPUT.\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
	if strings.Contains(page, "SS man") {
		t.Error("it has a hidden command")
	}
}

func TestEscapesLinesThatLookLikeRequests(t *testing.T) {
	t.Parallel()
	if got, want := escape("a-\\b\n.so x\n'y"), "a\\-\\eb\n\\&.so x\n\\&'y"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBashCompletes(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	script := document(t, "completion", "bash")
	cases := map[string]string{
		"''":              "show control completion --help",
		"control st":      "start stop",
		"control stop ''": "--help",
		"show --o":        "--output",
		"completion z":    "zsh",
		"unknown co":      "control completion",
	}
	for typed, want := range cases {
		command := script + "\nCOMP_WORDS=(test-program " + typed + "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n" +
			"_test_program; echo \"${COMPREPLY[@]}\""
		out, err := exec.Command(shell, "-c", command).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", typed, got, err, want)
		}
	}
}

func TestOtherShellsParseTheScripts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"zsh", "fish"} {
		script := document(t, "completion", name)
		if !strings.Contains(script, "It'\"'\"'s json or table") {
			t.Errorf("%s: the help is missing in\n%s", name, script)
		}
		shell, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		command := exec.Command(shell, "-n", "/dev/stdin")
		command.Stdin = strings.NewReader(script)
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}
