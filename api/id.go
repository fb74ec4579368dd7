package api

import "github.com/google/uuid"

// canonicalID is the one form that the store has an id in; what is none stays as it is.
func canonicalID(text string) string {
	if id, err := uuid.Parse(text); err == nil {
		return id.String()
	}
	return text
}

// parseID gives the one form of an id. What is none is an error that names the place.
func parseID(location, text string) (string, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return "", invalid(location, "this is no id")
	}
	return id.String(), nil
}
