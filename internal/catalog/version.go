// Package catalog holds what is known about software in general, as data and pure functions: so far, which of two
// versions is the newer one. It does no I/O and knows no machine.
package catalog

import (
	apk "github.com/knqyf263/go-apk-version"
	deb "github.com/knqyf263/go-deb-version"
	rpm "github.com/knqyf263/go-rpm-version"
)

// CompareVersions says whether version a of a source's package is older (-1) or newer (+1) than b, or of the same
// rank (0). It reports false where the source has no known order or one of the versions is none of the source's.
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
