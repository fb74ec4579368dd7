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

// importFunc takes in a file of another tool. Its inventory.Error with CodeInvalid says where a file is broken.
type importFunc = func(ctx context.Context, body io.Reader, o inventory.ImportOptions) (inventory.ImportReport, error)

// What an import may take.
const (
	maxImport     = 64 << 20 // bytes
	importTimeout = 15 * time.Minute
)

// ImportInput brings a file.
type ImportInput struct {
	Format      string `query:"format" required:"true" enum:"glpi-json,fusioninventory-xml,ocs-xml,csv" doc:"How the file is written."`
	Name        string `query:"name" pattern:"^[a-z0-9][a-z0-9_.-]*$" maxLength:"60" doc:"Tells sources of one format apart, e.g. hr. What one list says of a thing does not replace what another says."`
	DryRun      bool   `query:"dry_run" doc:"Say what would happen, and change nothing."`
	ContentType string `header:"Content-Type" hidden:"true"`
	RawBody     []byte `contentType:"application/octet-stream" doc:"The file; or multipart/form-data with the parts mapping, which says as JSON what the columns of a table mean, and file."`
}

// ImportOutput answers with what became of each document.
type ImportOutput struct{ Body inventory.ImportReport }

func (s *server) registerImports() {
	op := s.operation(http.MethodPost, "/api/v1/imports", "create-import", "Imports", "Import a file")
	op.Description = `Takes in what another tool wrote: the inventories of GLPI, FusionInventory and OCS agents, or a table of things,
such as a list of purchases. Each document is a source of its own: what it says stands beside what others say. A file that was
imported before changes nothing. Of a broken file nothing is taken, and the problem says where it is broken; a single row that
cannot be taken is rejected in the report, and the others are taken. Try a file with dry_run first.

A mapping says what the columns of a table mean. All of it may be left out; columns with known names are recognized then.

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

key: the columns whose values name a row, in this list and in later ones. A row is about a CI that is known if the evidence is
enough, such as maker and serial number; with "match": "asset_tag" it is about the CI that has the row's asset tag, and with
"match": "id" a list that was exported comes back. class: one for all ("laptop"), or what a column says. relationships: the column
names another CI by its name, or by the attribute given; one that is not there is made. What a later list of the same name says no
more has ended.`
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
	file, mapping, err := parts(in)
	if err != nil {
		return inventory.ImportReport{}, err
	}
	return s.Import(ctx, bytes.NewReader(file), inventory.ImportOptions{
		Format: in.Format, Name: in.Name, Mapping: mapping, DryRun: in.DryRun,
	})
}

// parts gives the file and the mapping of a request; a request that has no parts is the file.
func parts(in *ImportInput) (file, mapping []byte, err error) {
	mediaType, params, err := mime.ParseMediaType(in.ContentType)
	if err != nil || mediaType != "multipart/form-data" {
		return in.RawBody, nil, nil //nolint:nilerr // any other type is the file's own
	}
	reader := multipart.NewReader(bytes.NewReader(in.RawBody), params["boundary"])
	for {
		part, err := reader.NextPart()
		switch {
		case errors.Is(err, io.EOF) && file == nil:
			return nil, nil, invalid("body", "there is no part called file")
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
			return nil, nil, invalid("body", "a part called "+part.FormName()+" means nothing here")
		}
	}
}
