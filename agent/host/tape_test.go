package host

import (
	"os"
	"testing"
)

// TestContentIsReadByItsOwnName: the name of a file of Windows begins with a drive. With a slash in
// front of it, Windows does not find the file.
func TestContentIsReadByItsOwnName(t *testing.T) {
	t.Parallel()
	dir, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	tape := newTape(dir, header{})
	tape.source, tape.left = Local(), maxRecording
	const name = "C:/Windows/a.mum"
	for range 2 { // read, and then recorded
		data, err := tape.read(name, 100, func(asked string, _ int64) ([]byte, error) {
			if asked != name {
				t.Errorf("the source is asked for %s", asked)
			}
			return []byte("content"), nil
		})
		if err != nil || string(data) != "content" {
			t.Errorf("got %q, error %v", data, err)
		}
	}
}
