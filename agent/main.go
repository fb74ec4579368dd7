// Command muster-agent inventories the machine it runs on. It opens no port and takes no commands from the network.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands is the command line.
type commands struct {
	Version kong.VersionFlag `help:"Print the version and exit."`

	Enroll    enrollCommand    `cmd:"" help:"Make this machine known to a collector."`
	Sync      syncCommand      `cmd:"" help:"Send this machine's inventory to the collector, now."`
	Run       runCommand       `cmd:"" help:"Keep the collector informed, in the foreground."`
	Status    statusCommand    `cmd:"" help:"Print how this agent fares: identity, certificate, last check-in."`
	Inventory inventoryCommand `cmd:"" help:"Print this machine's inventory. No collector is needed."`
	Decode    decodeCommand    `cmd:"" help:"Print what a captured hardware table says, as the same document."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	line := kong.Parse(&commands{},
		kong.Name("muster-agent"),
		kong.Description("Inventories this machine for a Muster collector."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"version": version(), "state_dir": defaultStateDir()},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.BindTo(os.Stdout, (*io.Writer)(nil)),
	)
	line.FatalIfErrorf(line.Run())
}
