package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// IfMatchParam names the state that a request changes, so that it does not overwrite a change that
// its sender has not read.
type IfMatchParam struct {
	IfMatch string `header:"If-Match" maxLength:"100" example:"\"m0v3zk9qk1\"" doc:"The ETag of the CI as you read it, or * for any state. If the CI has changed since, the answer is 412."`
}

// editor returns the caller with the state that they read.
func (p IfMatchParam) editor(ctx context.Context, reason string) (inventory.Actor, error) {
	editor := actor(ctx, reason)
	switch tag := strings.TrimSpace(p.IfMatch); {
	case tag == "":
		return editor, &inventory.Error{
			Code:    codeMissingIfMatch,
			Message: "the request has no If-Match header; read the CI and send its ETag, or * to change any state",
		}
	case tag == "*":
		return editor, nil
	default:
		saw, known := parseEntityTag(tag)
		if !known {
			return editor, &inventory.Error{
				Code:    inventory.CodeStale,
				Message: "If-Match is not the ETag of a CI; read the CI again and retry with its ETag",
			}
		}
		editor.Saw = saw
		return editor, nil
	}
}

// entityTag returns the strong entity tag (RFC 9110 §8.8.3) of the state since an instant.
func entityTag(since time.Time) string {
	return `"` + strconv.FormatInt(since.UnixMicro(), 36) + `"`
}

func parseEntityTag(tag string) (since time.Time, known bool) {
	inner, quoted := strings.CutPrefix(tag, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	micros, err := strconv.ParseInt(inner, 36, 64)
	if !quoted || !closed || err != nil {
		return time.Time{}, false
	}
	return time.UnixMicro(micros), true
}
