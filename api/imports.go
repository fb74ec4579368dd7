package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// importFunc imports a file of another tool. It returns an inventory.Error with CodeInvalid if the
// file is malformed.
type importFunc = func(ctx context.Context, body io.Reader, o inventory.ImportOptions) (inventory.ImportReport, error)

// Limits of an import.
const (
	maxImport     = 64 << 20 // bytes
	importTimeout = 15 * time.Minute
)

// ImportInput is the request with a file.
type ImportInput struct {
	Format      importFormat `query:"format" required:"true" doc:"The format of the file."`
	Name        string       `query:"name" pattern:"^[a-z0-9][a-z0-9_.-]*$" maxLength:"60" doc:"The name of the source, e.g. hr. Lists with different names do not replace each other's values."`
	DryRun      bool         `query:"dry_run" doc:"Report what would change, and change nothing."`
	ContentType string       `header:"Content-Type" hidden:"true"`
	RawBody     []byte       `contentType:"application/octet-stream" doc:"The file; or multipart/form-data with the parts file and mapping, a JSON object that defines the columns of a CSV file."`
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
those of other sources. Importing a file again changes nothing. A malformed file is rejected as a
whole, and the problem has the position of the error. An invalid row is rejected in the report,
and the other rows are imported. Try a file with dry_run first.

A mapping defines the columns of a table. All members are optional; without columns, well-known
column names are recognized.

    {
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
	huma.Register(s.huma, op, func(ctx context.Context, in *ImportInput) (*ImportOutput, error) {
		ctx, cancel := context.WithTimeout(ctx, importTimeout)
		defer cancel()
		report, err := s.runImport(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &ImportOutput{Body: report}, nil
	})
}

func (s *server) runImport(ctx context.Context, in *ImportInput) (inventory.ImportReport, error) {
	file, mapping, err := readFile(in)
	if err != nil {
		return inventory.ImportReport{}, err
	}
	return s.Import(ctx, bytes.NewReader(file), inventory.ImportOptions{
		Format: string(in.Format), Name: in.Name, Mapping: mapping, DryRun: in.DryRun,
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
