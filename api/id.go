package api

import "github.com/google/uuid"

// canonicalID returns the lower-case form of a UUID, in which the store has it. Other text is returned
// unchanged.
func canonicalID(text string) string {
	if id, err := uuid.Parse(text); err == nil {
		return id.String()
	}
	return text
}

// parseID returns the canonical form of a UUID, or an error with the location in the request.
func parseID(location, text string) (string, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return "", invalid(location, "the value is not a UUID")
	}
	return id.String(), nil
}
