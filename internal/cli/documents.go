// Package cli generates the man page and the shell completions of a program from its command line,
// so that they never differ from it. Documents adds the commands; man.go and completion.go
// write them.
package cli

import (
	"io"

	"github.com/alecthomas/kong"
)

// Documents are the commands that print the documents. A main embeds them in its command line.
type Documents struct {
	Completion completionCommand `cmd:"" help:"Print the completion script for a shell."`
	Man        manCommand        `cmd:"" hidden:"" help:"Print the man page."`
}

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints the script.
func (c completionCommand) Run(app *kong.Kong, out io.Writer) error {
	_, err := io.WriteString(out, completions[c.Shell](app.Model))
	return err
}

type manCommand struct{}

// Run prints the page.
func (manCommand) Run(app *kong.Kong, out io.Writer) error {
	_, err := io.WriteString(out, man(app.Model))
	return err
}
