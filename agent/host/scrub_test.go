package host

import (
	"bytes"
	"testing"
)

// TestScrubKeepsRules: the tag of a rule of sudoers is not the name of a password.
func TestScrubKeepsRules(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"%deploy ALL=(ALL) NOPASSWD: ALL\n": "%deploy ALL=(ALL) NOPASSWD: ALL\n",
		"DB_PASSWD: hunter2\n":              "DB_PASSWD: xxxxxxx\n",
		"NOPASSWD: ALL, PASSWD=hunter2":     "NOPASSWD: ALL, PASSWD=xxxxxxx",
	} {
		if got := string(scrub([]byte(text))); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func FuzzScrub(f *testing.F) {
	f.Add([]byte("root:$y$j9T$abc$abcdefgh:19000:\npsk=secret\n--token\x00x\x00https://me:pw@host/"))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n{\"password\": \"a\\\"b\"}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		once := scrub(bytes.Clone(data))
		if len(once) != len(data) {
			t.Errorf("%d bytes became %d", len(data), len(once))
		}
		for i := range once {
			if once[i] != data[i] && once[i] != 'x' {
				t.Errorf("byte %d became %q", i, once[i])
			}
		}
	})
}
