package main

import (
	"context"
	"io"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
)

// inventoryCommand prints what the agent would send.
type inventoryCommand struct {
	withoutFlag
	Root    string   `placeholder:"DIR" help:"Read another root directory, e.g. a mounted disk or a chroot, wherever the source is a file."`
	Section []string `placeholder:"NAME" help:"Collect only these sections."`
	Output  string   `short:"o" enum:"json,table" default:"json" help:"json or table."`
}

// Help shows examples below the options.
func (inventoryCommand) Help() string {
	return `Examples:
  muster-agent inventory                                 everything, as JSON
  muster-agent inventory --section system,memory -o table
  muster-agent inventory --root /mnt/disk --section software
  muster-agent inventory --without user

A section whose status is denied needs more rights: try it as root. Each item holds exactly what a collector
would be sent.`
}

// Run collects the sections and prints them. Sections that could not be collected are part of the answer, and no
// error.
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
