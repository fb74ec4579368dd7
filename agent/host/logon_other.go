//go:build !windows

package host

import "fmt"

func logons() ([]Logon, error) { return nil, fmt.Errorf("record of logons: %w", ErrUnsupported) }
