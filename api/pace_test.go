package api

import (
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// slowReader is a client that reads bytes per second, after a pause.
type slowReader struct {
	*httptest.ResponseRecorder

	rate     int
	pause    time.Duration
	deadline time.Time
}

func (r *slowReader) SetWriteDeadline(at time.Time) error {
	r.deadline = at
	return nil
}

func (r *slowReader) Write(b []byte) (int, error) {
	takes := r.pause + time.Duration(len(b))*time.Second/time.Duration(r.rate)
	r.pause = 0
	if left := time.Until(r.deadline); takes > left {
		<-time.After(left)
		return 0, os.ErrDeadlineExceeded
	}
	<-time.After(takes)
	return len(b), nil
}

// TestSlowReadersLoseTheirSlot: a client that reads less than minRate loses its slot although it
// never stops, and one that is faster may pause. The time is virtual.
func TestSlowReadersLoseTheirSlot(t *testing.T) {
	t.Parallel()
	const chunks = 1000
	for _, c := range []struct {
		name  string
		rate  int // bytes per second
		pause time.Duration
		whole bool
	}{
		{"a byte from time to time", 100, 0, false},
		{"a chunk just before each deadline of a chunk", chunkSize / 29, 0, false},
		{"half the rate", minRate / 2, 0, false},
		{"the rate", minRate, 0, true},
		{"fast with a pause", 1 << 30, maxStall - time.Second, true},
		{"fast with a pause that is too long", 1 << 30, maxStall + time.Second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newPacedWriter(&slowReader{ResponseRecorder: httptest.NewRecorder(), rate: c.rate, pause: c.pause})
				began, written := time.Now(), 0
				for range chunks {
					n, err := w.Write(make([]byte, chunkSize))
					written += n
					if err != nil {
						break
					}
				}
				if got := written == chunks*chunkSize; got != c.whole {
					t.Errorf("read %d bytes in %v, whole list: %v, want %v", written, time.Since(began), got, c.whole)
				}
				if limit := 3 * time.Minute; !c.whole && time.Since(began) > limit {
					t.Errorf("the slot was occupied for %v, want less than %v", time.Since(began), limit)
				}
			})
		})
	}
}
