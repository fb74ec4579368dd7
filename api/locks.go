package api

import (
	"context"
	"net/http"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

// LockPath names an attribute of a CI.
type LockPath struct {
	CIPath

	Attribute string `path:"attribute" maxLength:"63" example:"owner" doc:"The attribute's name."`
}

// LockInput locks a value.
type LockInput struct {
	LockPath
	IfMatchParam

	Body struct {
		Value  Value      `json:"value" doc:"The locked value, of the attribute's type."`
		Reason string     `json:"reason" minLength:"1" maxLength:"500" doc:"Why you make the change. It is kept in the history."`
		Until  *time.Time `json:"until,omitempty" doc:"When the lock ends. Absent: when a person releases it."`
	}
}

// ReleaseLockInput releases a lock.
type ReleaseLockInput struct {
	LockPath
	IfMatchParam
	ReasonParam
}

func (s *server) registerLocks() {
	const path = "/api/v1/cis/{id}/locks/{attribute}"
	lock := s.operation(http.MethodPut, path, "lock-attribute", ciTag, "Lock an attribute of a CI")
	lock.Description = "The value wins over all sources until the lock ends or is released. The values of the " +
		"sources stay visible. " +
		`E.g. {"value": "Finance", "reason": "agreed with the owner", "until": "2027-01-01T00:00:00Z"}.`
	handle(s, lock, s.lockAttribute)

	release := s.operation(http.MethodDelete, path, "release-attribute", ciTag, "Release the lock of an attribute")
	release.Description = "The effective value comes from the sources again."
	handle(s, release, func(ctx context.Context, in *ReleaseLockInput) (*CIOutput, error) {
		editor, err := in.editor(ctx, in.Reason)
		if err != nil {
			return nil, err
		}
		if err := s.Store.ReleaseLock(ctx, in.ID, in.Attribute, editor); err != nil {
			return nil, err
		}
		return s.ci(ctx, in.ID, time.Time{})
	})
}

func (s *server) lockAttribute(ctx context.Context, in *LockInput) (*CIOutput, error) {
	if err := checkText("body.reason", in.Body.Reason); err != nil {
		return nil, err
	}
	if err := checkValue("body.value", in.Body.Value.value); err != nil {
		return nil, err
	}
	if _, isText := in.Body.Value.value.(string); in.Attribute == "name" && !isText {
		return nil, invalid("body.value", "the value of name must be a string")
	}
	if in.Body.Until != nil && !in.Body.Until.After(s.Now()) {
		return nil, invalid("body.until", "the lock would end in the past; give a later instant")
	}
	editor, err := in.editor(ctx, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	lock := inventory.Lock{Attribute: in.Attribute, Value: in.Body.Value.value, Until: in.Body.Until}
	if err := s.Store.LockAttribute(ctx, in.ID, lock, editor); err != nil {
		return nil, err
	}
	return s.ci(ctx, in.ID, time.Time{})
}
