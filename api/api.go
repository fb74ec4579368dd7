// Package api is the REST API: what the store holds, as JSON, CSV or NDJSON, for programs and people that bring an
// API token. It describes itself in OpenAPI 3.1. It never decides what is true of a machine and never speaks SQL.
package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/musterhq/muster/internal/inventory"
)

// Store is what the API needs of the store.
type Store interface {
	deviceStore
	holdingStore
	softwareStore
	enrollmentTokenStore
	apiTokenStore
	ciStore
	relationshipStore
	modelStore
	identityStore
	historyStore
}

// Section describes a section of the inventory.
type Section struct {
	Name    string
	Columns []string // the fields of its items, in order
	Keys    []string // those that name an item
	// Readings gives the JSON object of an item's readings as they stand on the wire.
	Readings func(encoded []byte) (json []byte, err error)
}

// Options is what the API is made of. All fields but Now and Logger must be set to serve requests.
type Options struct {
	Store    Store
	Sections []Section // that this program knows
	Version  string    // of the program

	// CompareVersions says which of two versions of a source's package is newer; false: it cannot be said.
	CompareVersions func(source, a, b string) (order int, known bool)

	NewEnrollmentToken func() string
	HashToken          func(token string) [32]byte
	CAPin              string                    // by which agents know the collector
	EnrollCommand      func(token string) string // what to type on a machine to enroll it

	// ObservationState says how long a CI was not heard of, in a word; "": it cannot be said.
	ObservationState func(ci inventory.CIDetails, now time.Time) string

	// Import takes in a file of another tool.
	Import importFunc

	// Ready reports why the program should get no requests; nil error: it should. An inventory.Error is shown.
	Ready func(ctx context.Context) error

	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: slog.Default
}

// server is the state of the API's handlers.
type server struct {
	Options

	huma     huma.API
	sections map[string]Section
	tokens   *tokenCache
	streams  chan struct{} // a slot for each list that is being streamed
}

// New makes the handler of everything under /api, /healthz and /readyz.
func New(o Options) http.Handler {
	mux := http.NewServeMux()
	s := newServer(o, mux)
	return s.frontDoor(mux)
}

// OpenAPI is the API's description as YAML. It needs no store.
func OpenAPI() ([]byte, error) {
	s := newServer(Options{}, http.NewServeMux())
	document, err := s.huma.OpenAPI().YAML()
	if err != nil {
		return nil, fmt.Errorf("encode openapi: %w", err)
	}
	return document, nil
}

func newServer(o Options, mux humago.Mux) *server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &server{
		Options:  o,
		sections: make(map[string]Section, len(o.Sections)),
		tokens:   newTokenCache(),
		streams:  make(chan struct{}, maxStreams),
	}
	for _, section := range o.Sections {
		s.sections[section.Name] = section
	}
	s.huma = humago.New(mux, configuration(s.explain))
	s.huma.UseMiddleware(s.authenticate, s.checkQuery)
	s.register()
	return s
}

// register lists all routes of the API.
func (s *server) register() {
	s.registerDevices()
	s.registerDevice()
	s.registerDeviceSections()
	s.registerDeviceItems()
	s.registerDeviceChanges()
	s.registerSoftware()
	s.registerImports()
	s.registerCIs()
	s.registerCI()
	s.registerRestore()
	s.registerLocks()
	s.registerRelationships()
	s.registerGraph()
	s.registerChanges()
	s.registerBaselines()
	s.registerBaselineDiff()
	s.registerIdentity()
	s.registerReviews()
	s.registerClasses()
	s.registerAttributes()
	s.registerRelationshipTypes()
	s.registerEnrollmentTokens()
	s.registerHealth()
	s.registerDocs()
	schemas := s.huma.OpenAPI().Components.Schemas
	// huma describes its own errors; handlers answer with a Problem instead.
	delete(schemas.Map(), "ErrorModel")
	delete(schemas.Map(), "ErrorDetail")
	describeSchemas(schemas)
}

// The pieces of the API's description that all operations share.

const bearer = "bearer"

func configuration(explain huma.Transformer) huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "Muster",
				Version:     "1",
				Description: description,
			},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{bearer: {Type: "http", Scheme: "bearer"}},
			},
		},
		Formats:       huma.DefaultFormats,
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{explain},
	}
}

const description = `What machines hold, what changed, and who has what. Every read of the estate takes as_of and then answers as of
that instant, always in the same way.

Lists come in pages of JSON; with format=csv or format=ndjson (or the Accept header) the whole list is streamed. A
stream that was cut off ends without the last chunk of HTTP/1.1 or with a reset stream of HTTP/2, so a download that
succeeded is complete; its number of rows follows in the trailer Muster-Rows.`

// operation describes an operation that needs an API token.
func (s *server) operation(method, path, id, tag, summary string) huma.Operation {
	return huma.Operation{
		Method:      method,
		Path:        path,
		OperationID: id,
		Summary:     summary,
		Tags:        []string{tag},
		Security:    []map[string][]string{{bearer: {}}},
		Responses:   map[string]*huma.Response{"default": s.problemResponse()},
		// What a caller may send at most, in bytes.
		MaxBodyBytes: 64 << 10,
	}
}

// public describes a read for everybody.
func (s *server) public(path, id, tag, summary string) huma.Operation {
	op := s.operation(http.MethodGet, path, id, tag, summary)
	op.Security = nil
	return op
}

// handle registers an operation whose errors become problems.
func handle[I, O any](s *server, op huma.Operation, f func(context.Context, *I) (*O, error)) {
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		out, err := f(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
}

// requestTimeout bounds what is not streamed.
const requestTimeout = 30 * time.Second

func invalid(location, message string) error {
	return &parameterError{Location: location, Err: inventory.Error{Code: inventory.CodeInvalid, Message: message}}
}
