// Package catalog contains general knowledge about software and hardware as data and pure
// functions: it compares versions and unifies the names of manufacturers. It does no I/O and never
// looks at a machine. Start reading at CompareVersions and Maker.
package catalog

import (
	apk "github.com/knqyf263/go-apk-version"
	deb "github.com/knqyf263/go-deb-version"
	rpm "github.com/knqyf263/go-rpm-version"
)

// CompareVersions returns -1 if version a of a source's package is older than b, +1 if it is newer,
// and 0 if they are equal. It returns false if the source has no known order or a version is not
// valid for the source.
func CompareVersions(source, a, b string) (int, bool) {
	if a == "" || b == "" {
		return 0, false
	}
	switch source {
	case "dpkg":
		return compareDeb(a, b)
	case "rpm":
		return sign(rpm.NewVersion(a).Compare(rpm.NewVersion(b))), true
	case "apk":
		return compareApk(a, b)
	default:
		return 0, false
	}
}

func compareDeb(a, b string) (int, bool) {
	before, err := deb.NewVersion(a)
	if err != nil {
		return 0, false
	}
	after, err := deb.NewVersion(b)
	if err != nil {
		return 0, false
	}
	return sign(before.Compare(after)), true
}

func compareApk(a, b string) (int, bool) {
	before, err := apk.NewVersion(a)
	if err != nil {
		return 0, false
	}
	after, err := apk.NewVersion(b)
	if err != nil {
		return 0, false
	}
	return sign(before.Compare(after)), true
}

func sign(n int) int { return min(1, max(-1, n)) }
