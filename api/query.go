package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// checkQuery rejects query parameters that the operation does not have, that occur twice, or that are not
// valid text.
func (s *server) checkQuery(ctx huma.Context, next func(huma.Context)) {
	address := ctx.URL()
	query, err := url.ParseQuery(address.RawQuery)
	var wrong []Detail
	if err != nil {
		wrong = append(wrong, Detail{Pointer: "/query", Message: "the query string is malformed"})
	}
	known := queryParameters(ctx.Operation())
	for name, values := range query {
		if message := parameterProblem(name, values, known); message != "" {
			wrong = append(wrong, Detail{Pointer: "/query/" + strings.ToValidUTF8(name, "\uFFFD"), Message: message})
		}
	}
	if len(wrong) == 0 {
		next(strictContext{ctx})
		return
	}
	slices.SortFunc(wrong, func(a, b Detail) int { return strings.Compare(a.Pointer, b.Pointer) })
	p := newProblem(ctx.Context(), http.StatusBadRequest, wrong[0].Message)
	p.Errors = wrong
	s.answer(ctx, p)
}

func queryParameters(op *huma.Operation) []string {
	var names []string
	for _, parameter := range op.Parameters {
		if parameter.In == "query" {
			names = append(names, parameter.Name)
		}
	}
	slices.Sort(names)
	return names
}

func parameterProblem(name string, values, known []string) string {
	switch {
	case !slices.Contains(known, name) && len(known) == 0:
		return "the operation has no query parameters"
	case !slices.Contains(known, name):
		return "the operation has no such query parameter; it has " + strings.Join(known, ", ")
	case len(values) > 1:
		return "the parameter occurs more than once; send it once"
	case !utf8.ValidString(values[0]) || hasNUL(values[0]):
		return "the value is not valid UTF-8 or contains a NUL character"
	default:
		return ""
	}
}

func hasNUL(text string) bool { return strings.ContainsRune(text, 0) }

// strictContext sends 400 instead of huma's 422, see clientStatus.
type strictContext struct{ anyContext }

// anyContext lets strictContext embed huma.Context, which has a method named Context.
type anyContext huma.Context

func (c strictContext) SetStatus(status int) { c.anyContext.SetStatus(clientStatus(status)) }

// Unwrap lets humago reach the request.
func (c strictContext) Unwrap() huma.Context { return c.anyContext }
