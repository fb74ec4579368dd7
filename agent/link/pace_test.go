package link

import (
	"crypto/x509"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/agent/state"
	"github.com/musterhq/muster/internal/pki"
)

func TestBackoffGrowsToItsCapAndStaysRandom(t *testing.T) {
	t.Parallel()
	almostOne := math.Nextafter(1, 0)
	rapid.Check(t, func(t *rapid.T) {
		failures := rapid.IntRange(0, 1<<30).Draw(t, "failures")
		random := rapid.Float64Range(0, almostOne).Draw(t, "random")
		got := Backoff(failures, random)
		if got < backoffFloor || got > backoffCap {
			t.Fatalf("got %v, want between %v and %v", got, backoffFloor, backoffCap)
		}
		if next := Backoff(failures+1, random); next < got {
			t.Fatalf("%v after %d failures, but %v after one more: it became faster", got, failures, next)
		}
		if Backoff(failures, 0) != backoffFloor {
			t.Fatal("the jitter does not reach down to the floor")
		}
	})
	for i, minutes := range []float64{1, 2, 4, 8, 15, 15} {
		if got := Backoff(i+1, almostOne).Round(time.Second).Minutes(); got != minutes {
			t.Errorf("most after %d failures: got %v minutes, want %v", i+1, got, minutes)
		}
	}
}

func TestPaceIsTheCollectorsWithinReason(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[uint32]time.Duration{
		0: time.Hour, 1: time.Second, 900: 15 * time.Minute, math.MaxUint32: 24 * time.Hour,
	} {
		if got := pace(seconds); got != want {
			t.Errorf("%d s: got %v, want %v", seconds, got, want)
		}
	}
}

func TestReadingsAreDueOnceADayWhateverTheClockDid(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for accepted, want := range map[time.Time]bool{
		{}: true, now: false, now.Add(-23 * time.Hour): false, now.Add(-24 * time.Hour): true, now.AddDate(1, 0, 0): true,
	} {
		if got := readingsDue(accepted, now); got != want {
			t.Errorf("accepted %v: got %v, want %v", accepted, got, want)
		}
	}
}

func TestRenewalIsSpreadAroundHalfLifeByTheOwnClock(t *testing.T) {
	t.Parallel()
	issued := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	authority, err := pki.NewAuthority(issued)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[time.Time]bool{}
	for _, skew := range []time.Duration{0, -2 * 365 * 24 * time.Hour, 24 * time.Hour} {
		for range 20 {
			identity := identityAt(t, authority, issued, issued.Add(skew))
			at := RenewAt(identity)
			if share := at.Sub(identity.Received).Hours() / 1000; share < 0.4 || share > 0.6 {
				t.Errorf("skew %v: renewal after %.2f of its life", skew, share)
			}
			if got, want := ExpiresAt(identity), identity.Received.Add(1000*time.Hour); !got.Equal(want) {
				t.Errorf("skew %v: expires %v, want %v", skew, got, want)
			}
			if at != RenewAt(identity) {
				t.Error("it is not the same when asked again")
			}
			seen[at] = true
		}
	}
	if len(seen) < 50 {
		t.Errorf("60 certificates are renewed at %d instants", len(seen))
	}
}

func identityAt(t *testing.T, authority *pki.Authority, issued, received time.Time) state.Identity {
	t.Helper()
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := authority.IssueAgent(&key.PublicKey, "agent-1", issued, 1000*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return state.Identity{Key: key, Certificate: certificate, Received: received}
}
