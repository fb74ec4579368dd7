package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"

	"github.com/musterhq/muster/internal/inventory"
)

// pageToken is the position at which a page ended, and the list. It grants no access: the request
// needs an API token too.
type pageToken struct {
	Version int                `json:"v"`
	Of      string             `json:"of"`
	After   inventory.Position `json:"after"`
}

const pageTokenVersion = 1

// encodePageToken returns the token of the page after a position of the list at address.
func encodePageToken(address url.URL, after inventory.Position) (string, error) {
	encoded, err := json.Marshal(pageToken{Version: pageTokenVersion, Of: listDigest(address), After: after})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(encoded), nil
}

// decodePageToken parses a token for the list at address. It rejects a token of another list,
// filter or instant.
func decodePageToken(address url.URL, text string) (inventory.Position, error) {
	if text == "" {
		return nil, nil
	}
	encoded, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, invalid("query.page_token", "the page token is malformed; start again without it")
	}
	var token pageToken
	if err := json.Unmarshal(encoded, &token); err != nil || token.Version != pageTokenVersion ||
		len(token.After) == 0 {
		return nil, invalid("query.page_token", "the page token is malformed; start again without it")
	}
	if token.Of != listDigest(address) {
		return nil, invalid(
			"query.page_token", "the page token belongs to another list or filter; start again without it",
		)
	}
	return token.After, nil
}

// listDigest identifies a list by its path and the query without the parameters of a single page.
func listDigest(address url.URL) string {
	query := address.Query()
	for _, name := range []string{"page_token", "page_size", "format"} {
		query.Del(name)
	}
	sum := sha256.Sum256([]byte(address.Path + "?" + query.Encode()))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
