package api

import (
	"context"
	"errors"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// Problem is the body of every error (RFC 9457). It contains no internals such as SQL or file
// names.
type Problem struct { //nolint:errname // RFC 9457 calls it a problem
	Type      string   `json:"type" doc:"The address of the description of the problem type."`
	Title     string   `json:"title" doc:"The reason phrase of the status."`
	Status    int      `json:"status" doc:"The HTTP status."`
	Detail    string   `json:"detail,omitempty" doc:"What happened, where, and what to do."`
	Instance  string   `json:"instance,omitempty" doc:"The path of the request."`
	RequestID string   `json:"request_id,omitempty" doc:"The id of the request in the collector's log."`
	Errors    []Detail `json:"errors,omitempty" nullable:"false" doc:"The fields of the request that are wrong."`

	headers http.Header
}

// Detail is one error in a request.
type Detail struct {
	Pointer string `json:"pointer,omitempty" doc:"The place in the request, e.g. /query/page_size or /body/max_uses."`
	Message string `json:"message" doc:"What is wrong there."`
}

// codeMissingIfMatch is the code of a change that has no If-Match header.
const codeMissingIfMatch = "precondition_required"

// problemTypes are the types of problems: the code is that of an inventory.Error, or a name for
// what only HTTP knows. The documentation page shows the advice.
var problemTypes = map[int]struct{ code, advice string }{
	http.StatusBadRequest:   {inventory.CodeInvalid, "The request is malformed. Correct the fields listed in errors."},
	http.StatusUnauthorized: {inventory.CodeUnauthenticated, "Send a valid API token as Authorization: Bearer."},
	http.StatusForbidden:    {inventory.CodeForbidden, "The API token does not permit the request."},
	http.StatusNotFound:     {inventory.CodeNotFound, "The path or the thing it names does not exist. Check the id."},
	http.StatusMethodNotAllowed: {
		"method_not_allowed", "The path has no such method. The Allow header lists its methods.",
	},
	http.StatusConflict: {
		inventory.CodeConflict, "The request conflicts with the current state. Read the state again and decide anew.",
	},
	http.StatusPreconditionFailed: {
		inventory.CodeStale, "The CI changed since you read it. Read it again and retry with its new ETag.",
	},
	http.StatusPreconditionRequired: {
		codeMissingIfMatch, "The request has no If-Match header. Send the ETag of the CI, or * for any state.",
	},
	http.StatusRequestEntityTooLarge: {
		"too_large",
		"The body is larger than the operation accepts. Send less at a time.",
	},
	http.StatusUnsupportedMediaType: {"unsupported_media_type", "The operation does not read this Content-Type."},
	http.StatusTooManyRequests: {
		"too_many_requests", "The API token does too much at a time. Try again after Retry-After.",
	},
	http.StatusServiceUnavailable: {
		inventory.CodeUnavailable, "The collector cannot answer now. Try again, after Retry-After if it is set.",
	},
	http.StatusInternalServerError: {"internal", "The collector failed. Ask its operator with the request_id."},
}

// newProblem returns a problem titled with the reason phrase of the status.
func newProblem(ctx context.Context, status int, detail string) *Problem {
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
	if problem, ok := problemTypes[status]; ok {
		p.Type = "/api/docs#problem-" + problem.code
	}
	if r, ok := ctx.Value(requestKey{}).(request); ok {
		p.RequestID, p.Instance = r.id, r.path
	}
	return p
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status. With it huma sends the Problem as the response.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders returns the headers of the response.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType returns the media type of RFC 9457 §3.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// parameterError is an error in one place of the request.
type parameterError struct {
	Location string // as huma writes it: query.page_size
	Err      inventory.Error
}

func (e *parameterError) Error() string { return e.Err.Message }

func (e *parameterError) Unwrap() error { return &e.Err }

// problem returns the part of an error that a caller may see. The rest goes to the log.
func (s *server) problem(ctx context.Context, err error) *Problem {
	if known, ok := errors.AsType[*Problem](err); ok {
		return known
	}
	domain, ok := errors.AsType[*inventory.Error](err)
	if !ok {
		if domain = s.outage(ctx, err); domain == nil {
			return s.internalProblem(ctx, err)
		}
	}
	p := newProblem(ctx, statusOf(domain.Code), domain.Message)
	if domain.Code == inventory.CodeUnavailable {
		p.retryAfter(domain.RetryAfter)
	}
	if parameter, ok := errors.AsType[*parameterError](err); ok {
		p.Errors = []Detail{{Pointer: pointer(parameter.Location), Message: parameter.Err.Message}}
	}
	return p
}

// outage returns the failure of the database that an error is about, or nil.
func (s *server) outage(ctx context.Context, err error) *inventory.Error {
	outage := s.Unavailable(err)
	if outage == nil {
		return nil
	}
	message := *outage
	message.Message += "; try again after the time in Retry-After"
	about, _ := ctx.Value(requestKey{}).(request)
	s.Logger.WarnContext(ctx, "request failed", "request_id", about.id, "path", about.path, "error", err)
	return &message
}

// defaultRetry is the Retry-After of an outage whose duration is unknown.
const defaultRetry = 5 * time.Second

// retryAfter sets the header Retry-After (RFC 9110 §10.2.3), in whole seconds.
func (p *Problem) retryAfter(wait time.Duration) {
	if wait == 0 {
		wait = defaultRetry
	}
	p.headers = http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(wait.Seconds())))}}
}

// internalProblem logs an error, unless the client left: its context is canceled then, and the
// error is only the consequence.
func (s *server) internalProblem(ctx context.Context, err error) *Problem {
	if errors.Is(err, context.Canceled) || errors.Is(ctx.Err(), context.Canceled) {
		return newProblem(ctx, http.StatusServiceUnavailable, "the client canceled the request")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		p := newProblem(
			ctx,
			http.StatusServiceUnavailable,
			"the collector did not finish the request within its time limit; ask for less, or try again",
		)
		p.retryAfter(defaultRetry)
		return p
	}
	p := newProblem(ctx, http.StatusInternalServerError, internalDetail)
	s.Logger.ErrorContext(ctx, "request failed", "request_id", p.RequestID, "path", p.Instance, "error", err)
	return p
}

// internalDetail is the detail of a problem whose cause only the log has.
const internalDetail = "the collector failed to process the request; its log has the cause under the request_id"

func statusOf(code string) int {
	for status, problem := range problemTypes {
		if problem.code == code {
			return status
		}
	}
	return http.StatusInternalServerError
}

// explain turns the errors that huma detects into problems.
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

// clientStatus replaces 422 by 400: Muster does not distinguish the two.
func clientStatus(status int) int {
	if status == http.StatusUnprocessableEntity {
		return http.StatusBadRequest
	}
	return status
}

// pointer turns huma's location of an error (body.networks[0]) into a JSON pointer (RFC 6901).
func pointer(location string) string {
	if location == "" {
		return ""
	}
	return "/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(location)
}

// problemResponse describes the response to a request that fails.
func (s *server) problemResponse() *huma.Response {
	schema := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return &huma.Response{
		Description: "A problem (RFC 9457)",
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
	}
}
