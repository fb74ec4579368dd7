package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsHTML string

//go:embed docs.css
var docsCSS string

// DocumentOutput answers with a document.
type DocumentOutput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Policy      string `header:"Content-Security-Policy" hidden:"true"`
	Body        []byte
}

const docsTag = "Documentation"

// registerDocs serves the description of the API. It is generated at the first request, when all
// operations are registered.
func (s *server) registerDocs() {
	describe := s.public("/api/openapi.json", "get-openapi", docsTag, "Get the OpenAPI 3.1 description")
	describe.Description = "For programs that generate clients, tests or documentation."
	describe.Responses["200"] = documentResponse("application/openapi+json")
	document := sync.OnceValues(func() ([]byte, error) { return json.Marshal(s.huma.OpenAPI()) })
	handle(s, describe, func(context.Context, *struct{}) (*DocumentOutput, error) {
		body, err := document()
		if err != nil {
			return nil, fmt.Errorf("encode openapi: %w", err)
		}
		return &DocumentOutput{ContentType: "application/openapi+json", Body: body}, nil
	})

	read := s.public("/api/docs", "get-docs", docsTag, "Get the documentation page")
	read.Description = "The same description for people, with a curl line for each operation."
	read.Responses["200"] = documentResponse("text/html")
	page := sync.OnceValues(s.docsPage)
	handle(s, read, func(context.Context, *struct{}) (*DocumentOutput, error) {
		body, err := page()
		if err != nil {
			return nil, fmt.Errorf("make docs page: %w", err)
		}
		return &DocumentOutput{ContentType: "text/html; charset=utf-8", Policy: docsPolicy(), Body: body}, nil
	})
}

func documentResponse(mediaType string) *huma.Response {
	return &huma.Response{
		Description: http.StatusText(http.StatusOK),
		Content:     map[string]*huma.MediaType{mediaType: {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
}

// docsPolicy allows the page its own style and nothing else.
func docsPolicy() string {
	sum := sha256.Sum256([]byte(docsCSS))
	return "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

type docsOperation struct {
	*huma.Operation

	Fields []docsField // of the body
	Sample string      // a curl line
}

type docsField struct {
	Name, Type, Description string
	Examples                []any
	Required                bool
}

type docsProblem struct {
	Status              int
	Code, Title, Advice string
}

func (s *server) docsPage() ([]byte, error) {
	t, err := template.New("docs").Parse(docsHTML)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = t.Execute(&page, map[string]any{
		"Info":       s.huma.OpenAPI().Info,
		"Style":      template.CSS(docsCSS), //nolint:gosec // our own
		"Operations": s.docsOperations(),
		"Problems":   docsProblems(),
	})
	return page.Bytes(), err
}

// docsOperations lists the operations by tag and path.
func (s *server) docsOperations() []docsOperation {
	var list []docsOperation
	for _, item := range s.huma.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				list = append(list, docsOperation{Operation: op, Fields: s.docsFields(op), Sample: sample(op)})
			}
		}
	}
	slices.SortFunc(list, func(a, b docsOperation) int {
		return cmp.Or(cmp.Compare(a.Tags[0], b.Tags[0]), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return list
}

func (s *server) docsFields(op *huma.Operation) []docsField {
	if op.RequestBody == nil {
		return nil
	}
	body := op.RequestBody.Content["application/json"]
	if body == nil {
		return nil // a file has no fields
	}
	schema := body.Schema
	if schema.Ref != "" {
		schema = s.huma.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
	}
	var fields []docsField
	for name, property := range schema.Properties {
		fields = append(fields, docsField{
			Name: name, Type: property.Type, Description: property.Description, Examples: property.Examples,
			Required: slices.Contains(schema.Required, name),
		})
	}
	slices.SortFunc(fields, func(a, b docsField) int { return cmp.Compare(a.Name, b.Name) })
	return fields
}

func sample(op *huma.Operation) string {
	line := "curl -s"
	if len(op.Security) > 0 {
		line += ` -H "Authorization: Bearer $TOKEN"`
	}
	if op.Method != http.MethodGet {
		line += " -X " + op.Method
	}
	switch {
	case op.RequestBody == nil:
	case op.RequestBody.Content["application/json"] != nil:
		line += ` --json '{…}'`
	default:
		line += ` --data-binary @FILE`
	}
	if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "If-Match" }) {
		line += ` -H "If-Match: $ETAG"`
	}
	query := ""
	for _, p := range op.Parameters {
		if p.In == "query" && p.Required && len(p.Schema.Enum) > 0 {
			query = fmt.Sprintf("?%s=%v", p.Name, p.Schema.Enum[0])
		}
	}
	return line + ` "$MUSTER` + op.Path + query + `"`
}

func docsProblems() []docsProblem {
	var list []docsProblem
	for status, problem := range problemTypes {
		list = append(
			list,
			docsProblem{Status: status, Code: problem.code, Title: http.StatusText(status), Advice: problem.advice},
		)
	}
	slices.SortFunc(list, func(a, b docsProblem) int { return cmp.Compare(a.Status, b.Status) })
	return list
}
