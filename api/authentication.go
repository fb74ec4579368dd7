package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/musterhq/muster/internal/inventory"
)

type apiTokenStore interface {
	APIToken(ctx context.Context, hash [32]byte) (inventory.APIToken, bool, error)
}

// authenticate rejects requests without a valid API token. Whether an operation needs one is read
// from its OpenAPI description, so that the two cannot differ.
func (s *server) authenticate(ctx huma.Context, next func(huma.Context)) {
	if len(ctx.Operation().Security) == 0 {
		next(ctx)
		return
	}
	token, ok := bearerToken(ctx.Header("Authorization"))
	if !ok {
		s.challenge(
			ctx,
			`Bearer realm="muster"`,
			"the request has no API token; send the header Authorization: Bearer <API token>",
		)
		return
	}
	if err := s.Outage(); err != nil {
		s.answer(ctx, s.problem(ctx.Context(), err))
		return
	}
	verdict, err := s.tokens.check(ctx.Context(), s.Store, s.HashToken(token), s.Now())
	switch {
	case err != nil:
		s.answer(ctx, s.problem(ctx.Context(), err))
	case !verdict.known:
		s.challenge(
			ctx,
			`Bearer realm="muster", error="invalid_token"`,
			"the API token is unknown or revoked; ask the operator for a new one",
		)
	default:
		next(huma.WithValue(ctx, callerKey{}, verdict.name))
	}
}

// callerKey is the key of the caller in contexts: the name of the API token.
type callerKey struct{}

// actor returns the caller, by the name of the API token, with the reason for the change.
func actor(ctx context.Context, reason string) inventory.Actor {
	name, _ := ctx.Value(callerKey{}).(string)
	return inventory.Actor{Name: name, Reason: reason}
}

// bearerToken reads the header of RFC 6750 §2.1.
func bearerToken(header string) (string, bool) {
	scheme, token, found := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	return token, found && strings.EqualFold(scheme, "bearer") && token != ""
}

func (s *server) challenge(ctx huma.Context, challenge, detail string) {
	p := newProblem(ctx.Context(), http.StatusUnauthorized, detail)
	p.headers = http.Header{"Www-Authenticate": {challenge}}
	s.answer(ctx, p)
}

// answer sends a problem.
func (s *server) answer(ctx huma.Context, p *Problem) {
	for name, values := range p.headers {
		ctx.SetHeader(name, values[0])
	}
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	_ = huma.DefaultJSONFormat.Marshal(ctx.BodyWriter(), p) // the client may be gone
}

// The cache bounds how long a revoked token is still accepted, and how many statements a client
// with a wrong token costs.
const (
	tokenLifetime   = 30 * time.Second
	maxCachedTokens = 1024
)

// tokenCache holds the validity of tokens by their hash.
type tokenCache struct {
	seen *lru.Cache[[32]byte, tokenVerdict]
}

type tokenVerdict struct {
	known bool
	name  string
	until time.Time
}

func newTokenCache() *tokenCache {
	seen, err := lru.New[[32]byte, tokenVerdict](maxCachedTokens)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	return &tokenCache{seen: seen}
}

func (c *tokenCache) check(
	ctx context.Context, store apiTokenStore, hash [32]byte, now time.Time,
) (tokenVerdict, error) {
	if verdict, ok := c.seen.Get(hash); ok && now.Before(verdict.until) {
		return verdict, nil
	}
	token, known, err := store.APIToken(ctx, hash)
	if err != nil {
		return tokenVerdict{}, err
	}
	verdict := tokenVerdict{known: known, name: token.Name, until: now.Add(tokenLifetime)}
	c.seen.Add(hash, verdict)
	return verdict, nil
}
