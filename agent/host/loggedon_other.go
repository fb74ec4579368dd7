//go:build !darwin

package host

import "fmt"

func loggedOn() ([]LoggedOn, error) {
	return nil, fmt.Errorf("logged-on users: %w", ErrUnsupported)
}
