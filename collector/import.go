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

// importCommand sends files of other tools to a collector's API.
type importCommand struct {
	apiFlags

	Format   string `required:"" enum:"${import_formats}" placeholder:"FORMAT" help:"Format of the files: one of ${enum}."`
	Name     string `placeholder:"NAME" help:"Name of the source, e.g. hr. Lists with different names do not replace each other's values."`
	Encoding string `placeholder:"NAME" help:"Encoding of the files, such as windows-1252, gbk or utf-16le. Default: what the mapping or the file declares, else UTF-8."`
	Mapping  string `type:"path" placeholder:"FILE" help:"File with the mapping of CSV columns, as JSON. Default: well-known column names are recognized."`
	Reason   string `placeholder:"TEXT" help:"Why the files are imported; the audit log keeps it."`
	DryRun   bool   `help:"Report what would change, and change nothing."`
	Verbose  bool   `short:"v" help:"Also print the warnings: what was ignored, and why."`

	Files []string `arg:"" name:"file" help:"Files or patterns such as inventories/*.json; - reads the standard input."`
}

// Help implements kong.HelpProvider.
func (importCommand) Help() string {
	return `Examples:
  muster-collector import --token-file var/admin.token --format glpi-json 'inventories/*.json'
  muster-collector import --token-file token --format csv --name hr --mapping hr.json --dry-run -v people.csv
  fusioninventory-inventory | muster-collector import --token-file token --format fusioninventory-xml -

A mapping assigns attributes to columns, and relationships to columns that name other CIs:
  {"key": ["Asset"], "class": "laptop",
   "columns": {"Asset": "asset_tag", "Maker": "manufacturer", "Serial": "serial_number",
               "Bought": {"attribute": "purchase_date", "format": "02.01.2006"}},
   "relationships": {"Office": {"type": "located_in", "class": "location"}}}

A value that cannot be read is left out with a warning (-v), a row without a key or that cannot be split into fields
is rejected, and a file that cannot be read at all is rejected as a whole; the rest is imported. A file that is neither
UTF-8 nor declares its encoding needs --encoding, or "encoding" in the mapping. A list has at most 1,000 columns,
200,000 rows and 64 MiB.

With --mapping the command sends a form with the parts file and mapping, as does:
  curl -H "Authorization: Bearer $TOKEN" -F file=@people.csv -F mapping=@hr.json "$SERVER/api/v1/imports?format=csv"

Importing a file again changes nothing, and completes an interrupted import. The exit status is 1 if a file or a
document was rejected.`
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
	run := importRun{
		verbose:      c.Verbose,
		in:           in,
		out:          out,
		progress:     os.Stderr,
		files:        len(files),
		lastProgress: time.Now(),
	}
	for _, file := range files {
		if err := run.send(ctx, to, file); err != nil {
			return fmt.Errorf("%s: %w (%d of %d files were sent)", importName(file), err, run.sent, run.files)
		}
	}
	return run.end()
}

// importFiles expands patterns, which not every shell does, and checks that all files exist before
// the first is sent.
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
				return nil, fmt.Errorf("%s is a directory; to import its files, use %s", file, filepath.Join(file, "*"))
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

// importRun is one run of the command and its results so far.
type importRun struct {
	verbose       bool
	in            io.Reader // the standard input
	out, progress io.Writer
	files, sent   int
	lastProgress  time.Time

	sum               inventory.ImportReport // without its documents
	rejected, warning int                    // files, warnings
}

// send sends a file and prints the result. An error means that the other files would fail too.
func (r *importRun) send(ctx context.Context, to *importClient, file string) error {
	if r.files > 1 && time.Since(r.lastProgress) >= time.Second {
		r.lastProgress = time.Now()
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
	if rejection, ok := errors.AsType[*rejectedError](err); ok {
		r.sent++
		r.rejected++
		r.printf("%s: rejected: %s\n", importName(file), rejection.Error())
		return nil
	}
	if err != nil {
		return err
	}
	r.sent++
	r.print(importName(file), report)
	return nil
}

// print prints the result of a file and its rejected documents.
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

// printRow prints the result of a document. The texts about a row of a table begin with its
// position, which is printed once.
func (r *importRun) printRow(row inventory.ImportRow) {
	position := row.Position
	if row.NativeKey != "" {
		position += " (" + row.NativeKey + ")"
	}
	if row.Problem != "" {
		r.printf("  %s: rejected: %s\n", position, strings.TrimPrefix(row.Problem, row.Position+": "))
	}
	if r.verbose {
		for _, warning := range row.Warnings {
			r.printf("  %s: warning: %s\n", position, strings.TrimPrefix(warning, row.Position+": "))
		}
	}
}

// importCounts summarizes a report.
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

// end prints the totals, and returns an error if anything was rejected.
func (r *importRun) end() error {
	if r.files > 1 {
		r.printf("%d files: %s, files rejected: %d%s\n", r.files, importCounts(r.sum), r.rejected, r.hint(r.warning))
	}
	if r.rejected+r.sum.Rejected == 0 {
		return nil
	}
	return fmt.Errorf("not everything was imported: files rejected: %d, documents rejected: %d",
		r.rejected, r.sum.Rejected)
}

// printf prints a line. It replaces control characters, so that text from a file cannot control the
// terminal.
func (r *importRun) printf(format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = strings.Map(visible, text)
		}
	}
	_, _ = fmt.Fprintf(r.out, format, args...)
}

// visible replaces control characters (Unicode category Cc) by U+FFFD.
func visible(r rune) rune {
	if r < 0x20 || r >= 0x7f && r < 0xa0 {
		return '\ufffd'
	}
	return r
}
