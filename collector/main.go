// Command muster-collector stores the inventories of muster-agents and of other tools in PostgreSQL
// and serves them over a REST API. It never connects to an agent: agents connect to it.
//
// Start with serve.go, which starts the parts of the collector.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/musterhq/muster/api"
	"github.com/musterhq/muster/internal/cli"
	"github.com/musterhq/muster/internal/importer"
)

// commands is the command line.
type commands struct {
	Version kong.VersionFlag `help:"Print the version and exit."`

	Serve   serveCommand   `cmd:"" help:"Run the collector until it is stopped."`
	Demo    demoCommand    `cmd:"" help:"Run a collector and an agent that inventories this machine."`
	Import  importCommand  `cmd:"" help:"Send inventories and CSV tables of other tools to a collector."`
	Agents  agentsCommand  `cmd:"" help:"List, approve, refuse and revoke agents."`
	Openapi openapiCommand `cmd:"" name:"openapi" help:"Print the OpenAPI document as YAML."`

	cli.Documents
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	line := kong.Parse(&commands{},
		kong.Name("muster-collector"),
		kong.Description("Collects inventories of muster-agents and other tools, and serves them over a REST API."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"version": version(), "import_formats": strings.Join(importer.Formats(), ",")},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.BindTo(os.Stdin, (*io.Reader)(nil)),
		kong.BindTo(os.Stdout, (*io.Writer)(nil)),
	)
	line.FatalIfErrorf(line.Run())
}

type openapiCommand struct{}

// Run prints the content of api/openapi.yaml.
func (openapiCommand) Run(out io.Writer) error {
	document, err := api.OpenAPI()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s", document)
	return err
}
