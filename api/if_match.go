package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// IfMatchParam says which state of a thing a request is to change, so that nobody overwrites what they have not seen.
type IfMatchParam struct {
	IfMatch string `header:"If-Match" maxLength:"100" example:"\"m0v3zk9qk1\"" doc:"The ETag of the CI as it was read, or * for whatever it is now. A CI that changed meanwhile is refused with 412."`
}

// editor is the caller, who acts on what they saw.
func (p IfMatchParam) editor(ctx context.Context, reason string) (inventory.Actor, error) {
	editor := actor(ctx, reason)
	switch tag := strings.TrimSpace(p.IfMatch); {
	case tag == "":
		return editor, &inventory.Error{Code: codeMissingIfMatch, Message: "say which state is to be changed: If-Match with the ETag of the CI, or * for any"}
	case tag == "*":
		return editor, nil
	default:
		saw, known := parseEntityTag(tag)
		if !known {
			return editor, &inventory.Error{Code: inventory.CodeStale, Message: "If-Match is no ETag of a CI: read it again"}
		}
		editor.Saw = saw
		return editor, nil
	}
}

// entityTag is the strong entity tag (RFC 9110, 8.8.3) of a state that began at an instant.
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
