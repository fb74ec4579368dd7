package inventory

import "time"

// Page says which part of a list is wanted, and as of which instant.
type Page struct {
	AsOf  time.Time // zero: now
	After Position  // where the part before ended; nil: from the beginning
	Limit int       // the number of rows; 0: all of them
}

// Position is where in its list a row stands: sort keys as text, which only the list that gave them can read.
type Position []string

// Visit takes the rows of a list one after the other. Its error ends the list.
type Visit[T any] func(row T, at Position) error
