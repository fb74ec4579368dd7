package host

import (
	"bytes"
	"testing"
)

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
