package host

import "time"

// BirthTime returns the creation time of a file. Many file systems do not record it.
func (h *Host) BirthTime(name string) (time.Time, error) {
	// in a tree it may be the time of the copy
	return ask(h, "birth time", name, func() (time.Time, error) { return birthTime(name) })
}
