package inventory

import "time"

// Page selects a part of a list, at an instant.
type Page struct {
	AsOf  time.Time // zero: now
	After Position  // the end of the previous part; nil: the beginning
	Limit int       // the number of rows; 0: all of them
}

// Position is the position of a row in its list: sort keys as text, which only that list can read.
type Position []string

// Visit receives the rows of a list one by one. Its error ends the list.
type Visit[T any] func(row T, at Position) error
