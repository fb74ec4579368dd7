package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// Problem is what every error looks like (RFC 9457). It holds nothing of the program's inside.
type Problem struct { //nolint:errname // RFC 9457 calls it a problem
	Type      string   `json:"type" doc:"Where this kind of problem is described."`
	Title     string   `json:"title" doc:"The reason phrase of the status."`
	Status    int      `json:"status" doc:"The HTTP status."`
	Detail    string   `json:"detail,omitempty" doc:"What happened, where, and what to do."`
	Instance  string   `json:"instance,omitempty" doc:"The path that was asked for."`
	RequestID string   `json:"request_id,omitempty" doc:"By which the operator finds the request in the log."`
	Errors    []Detail `json:"errors,omitempty" nullable:"false" doc:"What exactly is wrong, where it is more than one thing."`

	headers http.Header
}

// Detail is one of the things that are wrong with a request.
type Detail struct {
	Pointer string `json:"pointer,omitempty" doc:"The place in the request, e.g. /query/page_size or /body/max_uses."`
	Message string `json:"message" doc:"What is wrong there."`
}

// codeMissingIfMatch is the code of a change without a word of which state it is to change.
const codeMissingIfMatch = "precondition_required"

// problemTypes are the kinds of problems, by the code of an inventory.Error or what HTTP calls them.
var problemTypes = map[int]struct{ code, title string }{
	http.StatusBadRequest:            {inventory.CodeInvalid, "The request is not as it should be"},
	http.StatusUnauthorized:          {inventory.CodeUnauthenticated, "An API token is needed"},
	http.StatusForbidden:             {inventory.CodeForbidden, "This is not allowed"},
	http.StatusNotFound:              {inventory.CodeNotFound, "There is no such thing"},
	http.StatusMethodNotAllowed:      {"method_not_allowed", "The method is not one of this path"},
	http.StatusConflict:              {inventory.CodeConflict, "It stands against what is there"},
	http.StatusPreconditionFailed:    {inventory.CodeStale, "It is no longer as it was seen"},
	http.StatusPreconditionRequired:  {codeMissingIfMatch, "What is to be changed must be said to have been seen"},
	http.StatusRequestEntityTooLarge: {"too_large", "The request is too large"},
	http.StatusUnsupportedMediaType:  {"unsupported_media_type", "The request's format is not known here"},
	http.StatusServiceUnavailable:    {inventory.CodeUnavailable, "Not at the moment"},
	http.StatusInternalServerError:   {"internal", "Something went wrong here"},
}

// newProblem makes a problem of a status; a status without a kind of its own is described by HTTP.
func newProblem(ctx context.Context, status int, detail string) *Problem {
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
	if problem, ok := problemTypes[status]; ok {
		p.Type, p.Title = "/api/docs#problem-"+problem.code, problem.title
	}
	if r, ok := ctx.Value(requestKey{}).(request); ok {
		p.RequestID, p.Instance = r.id, r.path
	}
	return p
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus makes a Problem an error that huma answers with.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders gives the headers that go with the problem.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType is that of RFC 9457 §3.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// parameterError is an error in one place of the request.
type parameterError struct {
	Location string // as huma writes it: query.page_size
	Err      inventory.Error
}

func (e *parameterError) Error() string { return e.Err.Message }

func (e *parameterError) Unwrap() error { return &e.Err }

// problem says what a caller may know of an error. What it may not know goes to the log.
func (s *server) problem(ctx context.Context, err error) *Problem {
	if known, ok := errors.AsType[*Problem](err); ok {
		return known
	}
	domain, ok := errors.AsType[*inventory.Error](err)
	if !ok {
		return s.internalProblem(ctx, err)
	}
	p := newProblem(ctx, statusOf(domain.Code), domain.Message)
	if parameter, ok := errors.AsType[*parameterError](err); ok {
		p.Errors = []Detail{{Pointer: pointer(parameter.Location), Message: parameter.Err.Message}}
	}
	return p
}

func (s *server) internalProblem(ctx context.Context, err error) *Problem {
	if errors.Is(err, context.Canceled) {
		return newProblem(ctx, http.StatusServiceUnavailable, "the request was canceled")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return newProblem(ctx, http.StatusServiceUnavailable, "the answer took too long")
	}
	p := newProblem(ctx, http.StatusInternalServerError, "the operator finds the cause in the log")
	s.Logger.ErrorContext(ctx, "request failed", "request_id", p.RequestID, "path", p.Instance, "error", err)
	return p
}

func statusOf(code string) int {
	for status, problem := range problemTypes {
		if problem.code == code {
			return status
		}
	}
	return http.StatusInternalServerError
}

// explain turns the errors that huma finds by itself into problems.
func (s *server) explain(ctx huma.Context, _ string, body any) (any, error) {
	found, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	if found.Status >= http.StatusInternalServerError {
		return s.internalProblem(ctx.Context(), found), nil
	}
	p := newProblem(ctx.Context(), clientStatus(found.Status), found.Detail)
	for _, detail := range found.Errors {
		p.Errors = append(p.Errors, Detail{Pointer: pointer(detail.Location), Message: detail.Message})
	}
	return p, nil
}

// clientStatus makes one status of two: a request that is not as the description says is a bad request.
func clientStatus(status int) int {
	if status == http.StatusUnprocessableEntity {
		return http.StatusBadRequest
	}
	return status
}

// pointer is huma's location of an error (body.networks[0]) as a JSON pointer (RFC 6901).
func pointer(location string) string {
	if location == "" {
		return ""
	}
	return "/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(location)
}

// problemResponse describes the answer to whatever goes wrong.
func (s *server) problemResponse() *huma.Response {
	schema := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return &huma.Response{
		Description: "A problem (RFC 9457)",
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
	}
}
