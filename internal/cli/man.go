package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// man returns the man page in the language of man(7). It contains no date, so that a package is the
// same whenever it is built. There is a library for it, which loses the line breaks of examples.
func man(app *kong.Application) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" Muster Muster\n.SH NAME\n%s \\- %s\n", strings.ToUpper(app.Name), escape(app.Name),
		escape(strings.TrimSuffix(app.Help, ".")))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.I command\n[options]\n.SH COMMANDS\n", escape(app.Name))
	manCommands(&b, app.Node)
	b.WriteString(".SH OPTIONS OF ALL COMMANDS\n")
	manFlags(&b, app.Flags)
	return b.String()
}

func manCommands(b *strings.Builder, parent *kong.Node) {
	for _, node := range parent.Children {
		if node.Hidden {
			continue
		}
		fmt.Fprintf(b, ".SS %s\n%s\n", escape(commandLine(node)), escape(node.Help))
		manFlags(b, node.Flags)
		if node.Detail != "" {
			fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", escape(strings.TrimSpace(node.Detail)))
		}
		manCommands(b, node)
	}
}

// commandLine returns a command with its arguments, such as "decode smbios <file>".
func commandLine(node *kong.Node) string {
	_, line, _ := strings.Cut(node.FullPath(), " ") // after the name of the program
	for _, argument := range node.Positional {
		line += " " + argument.Summary()
	}
	return line
}

func manFlags(b *strings.Builder, flags []*kong.Flag) {
	for _, flag := range flags {
		name := "--" + flag.Name
		if flag.Short != 0 {
			name = fmt.Sprintf("-%c, %s", flag.Short, name)
		}
		if !flag.IsBool() {
			name += "=" + flag.FormatPlaceHolder()
		}
		help := flag.Help
		if len(flag.Envs) > 0 {
			help += " Environment: " + strings.Join(flag.Envs, ", ") + "."
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", escape(name), escape(help))
	}
}

// escape returns text that man(7) prints as it is.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
