package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// importCommand sends files of other tools to a collector.
type importCommand struct {
	Server    string `default:"http://127.0.0.1:8080" env:"MUSTER_SERVER" help:"Where the collector's REST API is."`
	TokenFile string `required:"" type:"path" placeholder:"FILE" help:"A file that holds an API token, such as admin.token in the collector's data directory."`
	CAFile    string `name:"ca-file" type:"path" placeholder:"FILE" help:"The certificates (PEM) to trust where the API is behind TLS. Default: those that the system trusts."`
	Format    string `required:"" enum:"${import_formats}" placeholder:"FORMAT" help:"How the files are written: one of ${enum}."`
	Name      string `placeholder:"NAME" help:"Tells sources of one format apart, e.g. hr. What one list says does not replace what another says."`
	Mapping   string `type:"path" placeholder:"FILE" help:"What the columns of the tables mean, as JSON. Default: known names of columns are recognized."`
	DryRun    bool   `help:"Say what would happen, and change nothing."`
	Verbose   bool   `short:"v" help:"Also print what of the documents was left out."`

	Files []string `arg:"" name:"file" help:"The files; patterns such as inventories/*.json; - reads the standard input."`
}

// Help shows what people do first.
func (importCommand) Help() string {
	return `Examples:
  muster-collector import --token-file var/admin.token --format glpi-json 'inventories/*.json'
  muster-collector import --token-file token --format csv --name hr --mapping hr.json --dry-run -v people.csv
  fusioninventory-inventory | muster-collector import --token-file token --format fusioninventory-xml -

A mapping is JSON, with columns for what they mean and relationships for those that name other things:
  {"key": ["Asset"], "class": "laptop",
   "columns": {"Asset": "asset_tag", "Maker": "manufacturer", "Serial": "serial_number",
               "Bought": {"attribute": "purchase_date", "format": "02.01.2006"}},
   "relationships": {"Office": {"type": "located_in", "class": "location"}}}

Each file is taken in by itself: of a broken one nothing is taken, and the others are. A file that was imported before
changes nothing; one whose import was interrupted is imported again, which takes the rest. The command fails if a file was
refused or a document of one rejected.`
}

// Run sends one file after the other.
func (c importCommand) Run(ctx context.Context, in io.Reader, out io.Writer) error {
	files, err := importFiles(c.Files)
	if err != nil {
		return err
	}
	to, err := c.client()
	if err != nil {
		return err
	}
	run := importRun{verbose: c.Verbose, in: in, out: out, progress: os.Stderr, files: len(files), told: time.Now()}
	for _, file := range files {
		if err := run.send(ctx, to, file); err != nil {
			return fmt.Errorf("%s: %w (%d of %d files were sent)", importName(file), err, run.sent, run.files)
		}
	}
	return run.end()
}

// importFiles resolves patterns, which not every shell does, and finds out what is missing before anything is sent.
func importFiles(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		matches := []string{arg}
		if _, err := os.Stat(arg); err != nil && arg != "-" {
			var bad error
			if matches, bad = filepath.Glob(arg); bad != nil || len(matches) == 0 {
				return nil, fmt.Errorf("find file: %w", err)
			}
		}
		for _, file := range matches {
			if info, err := os.Stat(file); err == nil && info.IsDir() {
				return nil, fmt.Errorf("%s is a directory: name the files in it, %s", file, filepath.Join(file, "*"))
			}
		}
		files = append(files, matches...)
	}
	return files, nil
}

func importName(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}

// importRun is one run of the command and what came of it so far.
type importRun struct {
	verbose       bool
	in            io.Reader // the standard input
	out, progress io.Writer
	files, sent   int
	told          time.Time // when progress was

	sum              inventory.ImportReport // without its documents
	refused, warning int
}

// send sends a file and prints what became of it. An error means that it makes no sense to go on.
func (r *importRun) send(ctx context.Context, to *importClient, file string) error {
	if r.files > 1 && time.Since(r.told) >= time.Second {
		r.told = time.Now()
		_, _ = fmt.Fprintf(r.progress, "%d of %d files\n", r.sent, r.files)
	}
	in := r.in
	if file != "-" {
		opened, err := os.Open(file) //nolint:gosec // the caller named it
		if err != nil {
			return fmt.Errorf("open: %w", err)
		}
		defer func() { _ = opened.Close() }()
		in = opened
	}
	report, err := to.send(ctx, filepath.Base(file), in)
	if refusal, ok := errors.AsType[*refusedError](err); ok {
		r.sent++
		r.refused++
		r.printf("%s: refused: %s\n", importName(file), refusal.Error())
		return nil
	}
	if err != nil {
		return err
	}
	r.sent++
	r.print(importName(file), report)
	return nil
}

// print tells of one file, and of every document that was rejected.
func (r *importRun) print(file string, report inventory.ImportReport) {
	warnings := 0
	for _, row := range report.Documents {
		warnings += len(row.Warnings)
	}
	r.printf("%s: %s%s\n", file, importCounts(report), r.hint(warnings))
	for _, warning := range report.Warnings {
		r.printf("  warning: %s\n", warning)
	}
	for _, row := range report.Documents {
		r.printRow(row)
	}
	r.sum.DryRun = report.DryRun
	r.sum.Created += report.Created
	r.sum.Changed += report.Changed
	r.sum.Unchanged += report.Unchanged
	r.sum.Rejected += report.Rejected
	r.warning += warnings
}

// printRow tells of one document. Texts about a row of a table begin with its place, which is said once.
func (r *importRun) printRow(row inventory.ImportRow) {
	place := row.Position
	if row.NativeKey != "" {
		place += " (" + row.NativeKey + ")"
	}
	if row.Problem != "" {
		r.printf("  %s: rejected: %s\n", place, strings.TrimPrefix(row.Problem, row.Position+": "))
	}
	if r.verbose {
		for _, warning := range row.Warnings {
			r.printf("  %s: warning: %s\n", place, strings.TrimPrefix(warning, row.Position+": "))
		}
	}
}

// importCounts is a report in short.
func importCounts(report inventory.ImportReport) string {
	text := fmt.Sprintf("%d created, %d changed, %d unchanged, %d rejected",
		report.Created, report.Changed, report.Unchanged, report.Rejected)
	if report.DryRun {
		text += " (dry run: nothing was changed)"
	}
	return text
}

func (r *importRun) hint(warnings int) string {
	switch {
	case warnings == 0:
		return ""
	case r.verbose:
		return fmt.Sprintf(", warnings: %d", warnings)
	default:
		return fmt.Sprintf(", warnings: %d (-v shows them)", warnings)
	}
}

// end sums up, and is an error where something was not taken.
func (r *importRun) end() error {
	if r.files > 1 {
		r.printf("%d files: %s, files refused: %d%s\n", r.files, importCounts(r.sum), r.refused, r.hint(r.warning))
	}
	if r.refused+r.sum.Rejected == 0 {
		return nil
	}
	return fmt.Errorf("not everything was taken: files refused: %d, documents rejected: %d", r.refused, r.sum.Rejected)
}

// printf prints a line. Text that comes from a file must not command the terminal.
func (r *importRun) printf(format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = strings.Map(visible, text)
		}
	}
	_, _ = fmt.Fprintf(r.out, format, args...)
}

// visible shows control characters (Unicode's Cc) as a sign.
func visible(r rune) rune {
	if r < 0x20 || r >= 0x7f && r < 0xa0 {
		return '\ufffd'
	}
	return r
}
