package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section"
)

// inventoryCommand prints the inventory that the agent would send.
type inventoryCommand struct {
	withoutFlag
	Root    string   `placeholder:"DIR" xor:"from" help:"Read files below this directory, e.g. a mounted disk or a chroot. Sources other than files are unsupported then."`
	Record  string   `placeholder:"DIR" help:"Save what is read to this new directory, without secrets."`
	Replay  string   `placeholder:"DIR" xor:"from" help:"Inventory the machine that a recording describes, on any system."`
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
  muster-agent inventory --record recording              on one machine, and on another:
  muster-agent inventory --replay recording

A recording has what this program read of the machine, for a report of an error or as a test. Private keys,
password hashes, passwords and tokens are replaced by the letter x. Names, addresses and serial numbers are
not. With --record the output is what a replay prints.

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
	h, err := c.host()
	if err != nil {
		return err
	}
	if c.Record == "" {
		return render(out, c.Output, section.Run(ctx, h, chosen))
	}
	recording, err := host.Record(h, c.Record)
	if err != nil {
		return err
	}
	reports := section.Run(ctx, recording.Host(), chosen)
	if omitted := recording.Omitted(); len(omitted) > 0 {
		err = fmt.Errorf("the recording is full; left out: %s", strings.Join(omitted, ", "))
	}
	return errors.Join(render(out, c.Output, reports), recording.Close(), err)
}

func (c inventoryCommand) host() (*host.Host, error) {
	switch {
	case c.Replay != "":
		return host.Replay(c.Replay)
	case c.Root != "" && c.Root != "/":
		return host.Tree(c.Root)
	default:
		return host.Local(), nil
	}
}
