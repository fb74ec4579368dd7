package main

import (
	"context"
	"io"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
)

// inventoryCommand prints the inventory that the agent would send.
type inventoryCommand struct {
	withoutFlag
	Root    string   `placeholder:"DIR" help:"Read files below this directory, e.g. a mounted disk or a chroot. Sources other than files are unsupported then."`
	Section []string `placeholder:"NAME" help:"Collect only these sections."`
	Output  string   `short:"o" enum:"json,table" default:"json" help:"json or table."`
}

// Help returns the text below the options.
func (inventoryCommand) Help() string {
	return `Examples:
  muster-agent inventory                                 everything, as JSON
  muster-agent inventory --section system,memory -o table
  muster-agent inventory --root /mnt/disk --section software
  muster-agent inventory --without user

If the status of a section is "denied", run the command as root. Each item is exactly what a collector would
receive.`
}

// Run collects the sections and prints them. A section that could not be collected is part of the
// output, not an error.
func (c inventoryCommand) Run(ctx context.Context, out io.Writer) error {
	all, err := c.collectors()
	if err != nil {
		return err
	}
	chosen, err := choose(all, c.Section)
	if err != nil {
		return err
	}
	h := host.Local()
	if c.Root != "" && c.Root != "/" {
		if h, err = host.Tree(c.Root); err != nil {
			return err
		}
	}
	return render(out, c.Output, section.Run(ctx, h, chosen))
}
