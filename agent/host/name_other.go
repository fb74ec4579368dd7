//go:build !windows

package host

func liveName(name string) (string, error) { return name, nil }
