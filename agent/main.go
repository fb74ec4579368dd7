// Command muster-agent inventories the machine it runs on and sends the inventory to a collector.
// It opens no port and takes no commands from the network. It starts no process, except the
// commands of host/command.go on macOS, and for "muster-agent service" those that control the
// service manager. Start reading at commands in main.go, then at newAgent in collect.go.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/musterhq/muster/internal/cli"
)

// commands is the command line.
type commands struct {
	Version kong.VersionFlag `help:"Print the version and exit."`

	Enroll    enrollCommand    `cmd:"" help:"Enroll this machine with a collector."`
	Configure configureCommand `cmd:"" help:"Write the settings with which the service enrolls this machine."`
	Forget    forgetCommand    `cmd:"" help:"Delete this machine's enrollment and the rest of the state."`
	Sync      syncCommand      `cmd:"" help:"Send this machine's inventory to the collector once."`
	Run       runCommand       `cmd:"" help:"Send inventories continuously, in the foreground."`
	Status    statusCommand    `cmd:"" help:"Print this agent's identity, certificate and last check-in."`
	Inventory inventoryCommand `cmd:"" help:"Print this machine's inventory. Needs no collector."`
	Decode    decodeCommand    `cmd:"" help:"Decode a captured hardware table and print it as an inventory."`
	Service   serviceCommand   `cmd:"" help:"Install, remove and control the service that runs the agent."`

	cli.Documents
}

// gcPercent makes the first garbage collection start at a heap of 8 MB instead of 4: an inventory
// of 1,000 packages then needs none, which saves a tenth of its CPU time and costs no memory.
const gcPercent = 200

func main() {
	debug.SetGCPercent(gcPercent)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	settingsErr := loadSettings(settingsFile())
	line := kong.Parse(&commands{},
		kong.Name("muster-agent"),
		kong.Description("Inventories this machine for a Muster collector."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"version": version(), "state_dir": defaultStateDir(), "settings_file": settingsFile()},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.BindTo(os.Stdout, (*io.Writer)(nil)),
	)
	line.FatalIfErrorf(settingsErr)
	line.FatalIfErrorf(line.Run())
}
