package rpc

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/inventory"
)

// TestBudget takes and releases at random: no agent exceeds its share, all together never exceed
// the whole, and what fits is granted.
func TestBudget(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const whole, share = 100, 30
		b := newBudget(whole, share)
		type taken struct{ record, bytes int64 }
		var list []taken
		held, all := map[int64]int64{}, int64(0)
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			if len(list) > 0 && rapid.Bool().Draw(t, "release") {
				i := rapid.IntRange(0, len(list)-1).Draw(t, "which")
				one := list[i]
				b.release(one.record, one.bytes)
				held[one.record] -= one.bytes
				all -= one.bytes
				list = append(list[:i], list[i+1:]...)
				continue
			}
			one := taken{rapid.Int64Range(1, 6).Draw(t, "record"), rapid.Int64Range(0, 40).Draw(t, "bytes")}
			want := ""
			switch {
			case held[one.record]+one.bytes > share:
				want = inventory.CodeInvalid
			case all+one.bytes > whole:
				want = inventory.CodeUnavailable
			default:
				held[one.record] += one.bytes
				all += one.bytes
				list = append(list, one)
			}
			err := b.take(one.record, one.bytes)
			if e, _ := errors.AsType[*inventory.Error](err); (err == nil) != (want == "") || e != nil && e.Code != want {
				t.Fatalf("take %+v of %v: got %v, want %q", one, held, err, want)
			}
		}
		for _, one := range list {
			b.release(one.record, one.bytes)
		}
		if len(b.held) != 0 || !b.whole.TryAcquire(whole) {
			t.Fatalf("all was released, and %v is held", b.held)
		}
	})
}
