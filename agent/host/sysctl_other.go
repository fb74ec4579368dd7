//go:build !darwin

package host

import "fmt"

func sysctlText(string) (string, error) { return "", fmt.Errorf("sysctl: %w", ErrUnsupported) }

func sysctlNumber(string) (uint64, error) { return 0, fmt.Errorf("sysctl: %w", ErrUnsupported) }
