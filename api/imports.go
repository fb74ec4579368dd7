package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// importFunc imports a file of another tool. It returns an inventory.Error with CodeInvalid if the
// file is malformed.
type importFunc = func(ctx context.Context, body io.Reader, o inventory.ImportOptions) (inventory.ImportReport, error)

// Limits of imports. The body of each one is held in memory.
const (
	maxImport          = 64 << 20 // bytes
	importTimeout      = 15 * time.Minute
	maxImportsOfToken  = 4 // at a time
	maxImportsTogether = 8 // at a time, of all tokens
)

// ImportInput is the request with a file.
type ImportInput struct {
	Format      importFormat `query:"format" required:"true" doc:"The format of the file."`
	Name        string       `query:"name" pattern:"^[a-z0-9][a-z0-9_.-]*$" maxLength:"60" doc:"The name of the source, e.g. hr. Lists with different names do not replace each other's values."`
	Encoding    string       `query:"encoding" maxLength:"40" example:"windows-1252" doc:"The encoding of the file, by its name on the Web or at IANA. Without it: what the mapping or the file declares (an XML declaration, a byte order mark), else UTF-8."`
	Reason      string       `query:"reason" maxLength:"2000" doc:"Why the file is imported. The audit log keeps it."`
	DryRun      bool         `query:"dry_run" doc:"Report what would change, and change nothing."`
	ContentType string       `header:"Content-Type" hidden:"true"`
	RawBody     []byte       `contentType:"application/octet-stream"`
}

// importFormat is the name of one of inventory.ImportFormats.
type importFormat string

// Schema implements huma.SchemaProvider.
func (importFormat) Schema(huma.Registry) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString}
	for _, format := range inventory.ImportFormats() {
		schema.Enum = append(schema.Enum, format.Name)
	}
	schema.PrecomputeMessages()
	return schema
}

// ImportOutput is the response with the result of each document.
type ImportOutput struct{ Body inventory.ImportReport }

func (s *server) registerImports() {
	op := s.operation(http.MethodPost, "/api/v1/imports", "create-import", "Imports", "Import a file")
	op.Description = `Imports a file of another tool: inventories of GLPI, FusionInventory and OCS agents, or a CSV
table of assets, such as a list of purchases. Each document is a source record of its own, beside
those of other sources. Importing a file again changes nothing. Try a file with dry_run first.

A file is not an observation: it does not change last_seen, and it does not restore a retired CI. An
inventory is as of the date that its agent wrote (accesslog), else as of its receipt. If it is older
than the one that is held, it is not applied, and the report has a warning.

The smallest part that cannot be read is left out. A value that cannot be read is left out with a
warning that names the row, the column, the value and what was expected; the rest of the row is
imported. A row without a key, or that cannot be split into fields for certain, is rejected in the
report. Only a file that cannot be read at all is rejected as a whole, and the problem has the
position of the error. A file that is neither UTF-8 nor declares its encoding is rejected: send the
query parameter encoding, or the member encoding of the mapping.

Limits: 64 MiB, 1,000 columns, 200,000 rows, and 4 imports at a time with one API token. The answer
to more of them is 429 with Retry-After.

Send the file as the body, or as the part file of multipart/form-data with the mapping as the part
mapping:

    curl -H "Authorization: Bearer $TOKEN" -F file=@list.csv -F mapping=@mapping.json \
      "$MUSTER/api/v1/imports?format=csv&name=purchases&encoding=windows-1252&dry_run=true"

A mapping defines the columns of a table. All members are optional; without columns, well-known
column names are recognized.

    {
      "encoding": "windows-1252",
      "key": ["Asset"],
      "class": {"column": "Kind", "values": {"Notebook": "laptop", "Screen": "monitor"}},
      "columns": {
        "Asset": "asset_tag", "Maker": "manufacturer", "Serial": "serial_number",
        "Bought": {"attribute": "purchase_date", "format": "02.01.2006"},
        "Price": {"attribute": "cost", "decimal": ","}
      },
      "relationships": {
        "Office": {"type": "located_in", "class": "location"},
        "Login": {"type": "used_by", "class": "person", "by": "login"}
      }
    }

key: the columns whose values identify a row, in this file and in later versions of it. match:
the attribute by which a row finds its CI. Without it a row belongs to a CI if the evidence is
sufficient, such as manufacturer and serial number; with "match": "asset_tag" it belongs to the
CI with the row's asset tag, and with "match": "id" you can import an exported list again. class:
one class for all rows ("laptop"), or the value of a column. relationships: the column names
another CI by its name, or by the attribute in "by"; a CI that does not exist is created. A
relationship ends when a later list of the same name does not have it.`
	op.MaxBodyBytes = maxImport
	op.BodyReadTimeout = importTimeout
	op.RequestBody = &huma.RequestBody{
		Description: "The file alone, or a form with the file and the mapping of its columns.",
		Content:     map[string]*huma.MediaType{},
	}
	op.Middlewares = huma.Middlewares{s.limitImports}
	huma.Register(s.huma, op, func(ctx context.Context, in *ImportInput) (*ImportOutput, error) {
		ctx, cancel := context.WithTimeout(ctx, importTimeout)
		defer cancel()
		report, err := s.runImport(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &ImportOutput{Body: report}, nil
	})
	// Added after the registration, or huma would validate the raw body as a form.
	op.RequestBody.Content["multipart/form-data"] = importForm()
}

// importForm describes the form with a file and a mapping.
func importForm() *huma.MediaType {
	binary := func(about string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Format: "binary", Description: about}
	}
	return &huma.MediaType{
		Schema: &huma.Schema{
			Type: huma.TypeObject, Required: []string{"file"},
			Properties: map[string]*huma.Schema{
				"file":    binary("The file."),
				"mapping": binary("A JSON object that defines the columns of a table."),
			},
		},
		Encoding: map[string]*huma.Encoding{
			"file": {ContentType: "application/octet-stream"}, "mapping": {ContentType: "application/json"},
		},
	}
}

// importSlots counts the imports in progress by API token.
type importSlots struct {
	mutex   sync.Mutex
	running map[string]int
	all     int
}

// take takes a slot, if there is one.
func (i *importSlots) take(token string) bool {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.running[token] == maxImportsOfToken || i.all == maxImportsTogether {
		return false
	}
	i.running[token]++
	i.all++
	return true
}

func (i *importSlots) release(token string) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.all--
	if i.running[token]--; i.running[token] == 0 {
		delete(i.running, token)
	}
}

// limitImports rejects an import before its body is read if too many are in progress.
func (s *server) limitImports(ctx huma.Context, next func(huma.Context)) {
	token := actor(ctx.Context(), "").Name
	if !s.imports.take(token) {
		p := newProblem(ctx.Context(), http.StatusTooManyRequests, fmt.Sprintf(
			"%d imports of this API token or %d of all tokens are in progress; send the file again after the time in "+
				"Retry-After, one file after the other", maxImportsOfToken, maxImportsTogether))
		p.headers = http.Header{"Retry-After": {"5"}}
		s.answer(ctx, p)
		return
	}
	defer s.imports.release(token)
	next(ctx)
}

func (s *server) runImport(ctx context.Context, in *ImportInput) (inventory.ImportReport, error) {
	file, mapping, err := readFile(in)
	if err != nil {
		return inventory.ImportReport{}, err
	}
	return s.Import(ctx, bytes.NewReader(file), inventory.ImportOptions{
		Format: string(in.Format), Name: in.Name, Encoding: in.Encoding, Mapping: mapping, DryRun: in.DryRun,
		Actor: actor(ctx, in.Reason),
	})
}

// readFile returns the file and the mapping of a request. A body that is not multipart is the file.
func readFile(in *ImportInput) (file, mapping []byte, err error) {
	mediaType, params, err := mime.ParseMediaType(in.ContentType)
	if err != nil || mediaType != "multipart/form-data" {
		return in.RawBody, nil, nil //nolint:nilerr // any other type describes the file itself
	}
	reader := multipart.NewReader(bytes.NewReader(in.RawBody), params["boundary"])
	for {
		part, err := reader.NextPart()
		switch {
		case errors.Is(err, io.EOF) && file == nil:
			return nil, nil, invalid("body", "the part \"file\" is missing")
		case errors.Is(err, io.EOF):
			return file, mapping, nil
		case err != nil:
			return nil, nil, invalid("body", "read parts: "+err.Error())
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, invalid("body", "read part "+part.FormName()+": "+err.Error())
		}
		switch part.FormName() {
		case "file":
			file = content
		case "mapping":
			mapping = content
		default:
			return nil, nil, invalid(
				"body", "the part \""+part.FormName()+"\" is unknown; send \"file\" and \"mapping\"",
			)
		}
	}
}
