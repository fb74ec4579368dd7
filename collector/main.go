// Command muster-collector takes the inventories of muster-agents into a PostgreSQL database and answers questions
// about them over a REST API.
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
	"github.com/musterhq/muster/internal/importer"
)

// commands is the command line.
type commands struct {
	Version kong.VersionFlag `help:"Print the version and exit."`

	Serve   serveCommand   `cmd:"" help:"Run the collector until it is told to stop."`
	Demo    demoCommand    `cmd:"" help:"Run a collector and inventory this very machine with an agent."`
	Import  importCommand  `cmd:"" help:"Send inventories and tables of other tools to a collector."`
	Openapi openapiCommand `cmd:"" name:"openapi" help:"Print the API's description as YAML."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	line := kong.Parse(&commands{},
		kong.Name("muster-collector"),
		kong.Description("Collects the inventories of muster-agents and answers questions about them."),
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

// Run prints the document that api/openapi.yaml is generated from.
func (openapiCommand) Run(out io.Writer) error {
	document, err := api.OpenAPI()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s", document)
	return err
}
