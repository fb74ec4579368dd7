package api

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/musterhq/muster/internal/inventory"
)

type enrollmentTokenStore interface {
	CreateEnrollmentToken(
		ctx context.Context, token inventory.EnrollmentToken, hash [32]byte,
	) (inventory.EnrollmentToken, error)
	ListEnrollmentTokens(
		ctx context.Context, page inventory.Page, visit inventory.Visit[inventory.EnrollmentToken],
	) error
	RevokeEnrollmentToken(ctx context.Context, id string) error
}

// defaultTokenLife is the lifetime of an enrollment token whose request names none.
const defaultTokenLife = 24 * time.Hour

// maxTokenLife is the longest lifetime of an enrollment token.
const maxTokenLife = 366 * 24 * time.Hour

// NewEnrollmentTokenInput asks for a new enrollment token.
type NewEnrollmentTokenInput struct {
	Body struct {
		Name      string     `json:"name" minLength:"1" maxLength:"200" doc:"What the token is for."`
		MaxUses   int32      `json:"max_uses,omitempty" minimum:"1" maximum:"1000000" default:"1" doc:"How many agents can enroll with the token."`
		ExpiresIn string     `json:"expires_in,omitempty" maxLength:"50" example:"24h" doc:"The lifetime, for example 90m or 72h. Absent: 24h, or until expires_at."`
		ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"When the token expires, instead of expires_in."`
		Network   string     `json:"network,omitempty" maxLength:"50" example:"10.0.0.0/8" doc:"The network that agents can enroll from, as CIDR. Absent: any."`
		Approval  string     `json:"approval,omitempty" enum:"automatic,manual" default:"automatic" doc:"manual: nothing of an agent is applied before a person approves it."`
		Serials   []string   `json:"serial_numbers,omitempty" maxItems:"100000" nullable:"false" doc:"The serial numbers of the machines that can enroll. Absent: any. An agent claims its serial number: the list prevents mistakes, and approval prevents intruders."`
	}
}

// NewEnrollmentToken is an enrollment token with its secret, which no later response contains.
type NewEnrollmentToken struct {
	inventory.EnrollmentToken

	Token   string `json:"token" doc:"The secret. Only its hash is stored, so no later response has it."`
	CAPin   string `json:"ca_pin" doc:"The pin of the CA, by which the agent authenticates the collector."`
	Command string `json:"command" doc:"The command to run on the device."`
}

// NewEnrollmentTokenOutput answers with a new token.
type NewEnrollmentTokenOutput struct{ Body NewEnrollmentToken }

// EnrollmentTokensInput asks for the enrollment tokens.
type EnrollmentTokensInput struct{ ListParams }

// EnrollmentTokenInput names an enrollment token.
type EnrollmentTokenInput struct {
	ID string `path:"id" format:"uuid" doc:"The token's id."`
}

const enrollmentTag = "Enrollment"

func (s *server) registerEnrollmentTokens() {
	create := s.operation(http.MethodPost, "/api/v1/enrollment-tokens", "create-enrollment-token", enrollmentTag,
		"Create an enrollment token")
	create.Description = "Only this answer contains the secret. It also contains the command to run on the device. " +
		`E.g. {"name": "berlin", "max_uses": 50, "expires_in": "72h", "network": "10.0.0.0/8"}.`
	create.DefaultStatus = http.StatusCreated
	handle(s, create, s.createEnrollmentToken)

	tokens := tableOf[inventory.EnrollmentToken]()
	list := s.operation(http.MethodGet, "/api/v1/enrollment-tokens", "list-enrollment-tokens", enrollmentTag,
		"List enrollment tokens")
	list.Description = "In the order of creation, with the used up, expired and revoked ones."
	handleList(s, list, func(_ context.Context, in *EnrollmentTokensInput) (listing[inventory.EnrollmentToken], error) {
		return listing[inventory.EnrollmentToken]{
			params: &in.ListParams, name: "enrollment-tokens", table: tokens, read: s.Store.ListEnrollmentTokens,
		}, nil
	})

	revoke := s.operation(http.MethodDelete, "/api/v1/enrollment-tokens/{id}", "revoke-enrollment-token", enrollmentTag,
		"Revoke an enrollment token")
	revoke.Description = "No agent can enroll with the token any more. Enrolled agents and the list entry stay."
	handle(s, revoke, func(ctx context.Context, in *EnrollmentTokenInput) (*struct{}, error) {
		id, err := parseID("path.id", in.ID)
		if err != nil {
			return nil, err
		}
		return nil, s.Store.RevokeEnrollmentToken(ctx, id)
	})
}

func (s *server) createEnrollmentToken(
	ctx context.Context, in *NewEnrollmentTokenInput,
) (*NewEnrollmentTokenOutput, error) {
	if err := checkText("body.name", in.Body.Name); err != nil {
		return nil, err
	}
	for _, serial := range in.Body.Serials {
		if err := checkText("body.serial_numbers", serial); err != nil {
			return nil, err
		}
	}
	token := inventory.EnrollmentToken{
		Name: in.Body.Name, MaxUses: max(1, in.Body.MaxUses), Approval: in.Body.Approval,
		SerialNumbers: in.Body.Serials,
	}
	var err error
	if token.ExpiresAt, err = expiry(in.Body.ExpiresIn, in.Body.ExpiresAt, s.Now()); err != nil {
		return nil, err
	}
	if token.Network, err = network(in.Body.Network); err != nil {
		return nil, err
	}
	secret := s.NewEnrollmentToken()
	if token, err = s.Store.CreateEnrollmentToken(ctx, token, s.HashToken(secret)); err != nil {
		return nil, err
	}
	return &NewEnrollmentTokenOutput{Body: NewEnrollmentToken{
		EnrollmentToken: token, Token: secret, CAPin: s.CAPin, Command: s.EnrollCommand(secret),
	}}, nil
}

func expiry(in string, at *time.Time, now time.Time) (time.Time, error) {
	if in != "" && at != nil {
		return time.Time{}, invalid("body.expires_in", "expires_in and expires_at exclude each other; send one of them")
	}
	location, expires := "body.expires_at", now.Add(defaultTokenLife)
	if at != nil {
		expires = *at
	}
	if in != "" {
		life, err := time.ParseDuration(in)
		if err != nil {
			return time.Time{}, invalid("body.expires_in", "the value is not a duration such as 24h or 90m")
		}
		location, expires = "body.expires_in", now.Add(life)
	}
	if !expires.After(now) || expires.After(now.Add(maxTokenLife)) {
		return time.Time{}, invalid(location, "the token must expire in the future and within 366 days")
	}
	return expires, nil
}

// network parses a CIDR. It rejects an address with bits beyond the prefix, which is probably a
// mistake.
func network(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil || prefix != prefix.Masked() {
		return "", invalid("body.network", "the value is not a network such as 10.0.0.0/8 or 2001:db8::/32")
	}
	return prefix.String(), nil
}
