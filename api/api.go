// Package api is the REST API. It serves the inventory, its history and the changes that people
// make as JSON, CSV or NDJSON to clients with an API token, and describes itself in OpenAPI 3.1. It
// never decides which CI a record is or which value wins, and contains no SQL: the store does both.
//
// Start with server.register, which lists the routes; each noun has its file. Every list goes
// through handleList in list.go, every request through frontDoor, and every error through problem.
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

// Store is what the API needs from the store.
type Store interface {
	deviceStore
	itemStore
	softwareStore
	enrollmentStore
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
	Keys    []string // the fields that identify an item
	// Readings converts the readings of an item from the wire format to a JSON object.
	Readings func(encoded []byte) (json []byte, err error)
	// Names returns the names of ids in the facts of an item as a JSON object of the fields Named.
	// They are what the collector knows now, so that answers as of an instant have none. nil: no
	// names.
	Names func(facts []byte) (json []byte)
	Named []string
}

// Options are the dependencies and settings of the API. All fields but Now and Logger are required.
type Options struct {
	Store    Store
	Sections []Section
	Version  string // of the program

	// CompareVersions compares two versions of a package of the source. known is false if the
	// source has no order of versions.
	CompareVersions func(source, a, b string) (order int, known bool)

	NewEnrollmentToken func() string
	HashToken          func(token string) [32]byte
	CAPin              string                    // authenticates the collector to agents
	EnrollCommand      func(token string) string // the command that enrolls a device

	// ObservationState returns active, silent, stale or absent, "" if no source observes the CI.
	ObservationState func(ci inventory.CIDetails, now time.Time) string

	// Import imports a file of another tool.
	Import importFunc

	// Ready returns an error while the program cannot serve requests. The client sees the message
	// of an inventory.Error only.
	Ready func(ctx context.Context) error

	// Alive returns an error if the program needs a person's help to serve requests again; nil: it
	// never does.
	Alive func() error

	// Outage returns an error while the database does not answer, so that a request fails at once
	// instead of waiting; nil: it always answers.
	Outage func() error

	// Unavailable returns an error with CodeUnavailable if err means that the database cannot do
	// the work now, otherwise nil; nil: it always can.
	Unavailable func(err error) *inventory.Error

	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: slog.Default
}

// server is the state of the API's handlers.
type server struct {
	Options

	huma     huma.API
	sections map[string]Section
	tokens   *tokenCache
	streams  chan struct{} // one slot per list that is being streamed
	imports  importSlots
}

// New returns the handler of /api, /healthz and /readyz.
func New(o Options) http.Handler {
	mux := http.NewServeMux()
	s := newServer(o, mux)
	return s.frontDoor(mux)
}

// OpenAPI returns the description of the API as YAML.
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
	if o.Alive == nil {
		o.Alive = func() error { return nil }
	}
	if o.Outage == nil {
		o.Outage = func() error { return nil }
	}
	if o.Unavailable == nil {
		o.Unavailable = func(error) *inventory.Error { return nil }
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &server{
		Options:  o,
		sections: make(map[string]Section, len(o.Sections)),
		tokens:   newTokenCache(),
		streams:  make(chan struct{}, maxStreams),
		imports:  importSlots{running: map[string]int{}},
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
	s.registerAgents()
	s.registerHealth()
	s.registerDocs()
	schemas := s.huma.OpenAPI().Components.Schemas
	// huma describes its own errors; handlers answer with a Problem instead.
	delete(schemas.Map(), "ErrorModel")
	delete(schemas.Map(), "ErrorDetail")
	describeSchemas(schemas)
}

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

const description = `
The devices, CIs and software of the inventory, their relationships and their history. Every read of the
inventory takes as_of and returns the state at that instant. The answer for an instant never changes.

A list is paged JSON. With format=csv or format=ndjson, or the Accept header, the whole list is streamed. An
aborted stream has no last chunk in HTTP/1.1 and is reset in HTTP/2, so a download that succeeded is complete.
Its trailer Muster-Rows has the number of rows.`

// operation describes an operation that needs an API token.
func (s *server) operation(method, path, id, tag, summary string) huma.Operation {
	return huma.Operation{
		Method:       method,
		Path:         path,
		OperationID:  id,
		Summary:      summary,
		Tags:         []string{tag},
		Security:     []map[string][]string{{bearer: {}}},
		Responses:    map[string]*huma.Response{"default": s.problemResponse()},
		MaxBodyBytes: 64 << 10,
	}
}

// public describes a read that needs no API token.
func (s *server) public(path, id, tag, summary string) huma.Operation {
	op := s.operation(http.MethodGet, path, id, tag, summary)
	op.Security = nil
	return op
}

// handle registers an operation. Its errors become problems.
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

// requestTimeout bounds requests that are not streamed.
const requestTimeout = 30 * time.Second

func invalid(location, message string) error {
	return &parameterError{Location: location, Err: inventory.Error{Code: inventory.CodeInvalid, Message: message}}
}
