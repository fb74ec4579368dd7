package user

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// start is the time of the tests' first records.
var start = time.Date(2024, time.March, 4, 8, 0, 0, 0, time.UTC)

// at returns a time on the tests' clock.
func at(hours float64) time.Time { return start.Add(time.Duration(hours * float64(time.Hour))) }

// entry makes a record in the layout of glibc's struct utmp (utmp(5)): 384 bytes on x86 and 400 on
// 64-bit Arm.
func entry(size, kind int, user, line, host string, when time.Time) []byte {
	b := make([]byte, size)
	binary.LittleEndian.PutUint16(b, uint16(kind))
	binary.LittleEndian.PutUint32(b[4:], 4242)
	copy(b[8:40], line)
	copy(b[40:44], "ts/1")
	copy(b[44:76], user)
	copy(b[76:332], host)
	if size == 384 {
		binary.LittleEndian.PutUint32(b[336:], 4242)
		binary.LittleEndian.PutUint32(b[340:], uint32(when.Unix()))
		binary.LittleEndian.PutUint32(b[344:], 999_999)
		copy(b[348:], []byte{192, 0, 2, 7})
	} else {
		binary.LittleEndian.PutUint64(b[336:], 4242)
		binary.LittleEndian.PutUint64(b[344:], uint64(when.Unix()))
		binary.LittleEndian.PutUint64(b[352:], 999_999)
		copy(b[360:], []byte{192, 0, 2, 7})
	}
	return b
}

// log is a file of records under construction.
type log struct {
	size int
	data []byte
}

func (l *log) add(kind int, user, line, host string, hours float64) *log {
	l.data = append(l.data, entry(l.size, kind, user, line, host, at(hours))...)
	return l
}

func (l *log) login(user, line, host string, hours float64) *log {
	return l.add(userProcess, user, line, host, hours)
}

func (l *log) logout(line string, hours float64) *log { return l.add(deadProcess, "", line, "", hours) }

func (l *log) boot(hours float64) *log {
	return l.add(bootTime, "reboot", "~", "6.1.0-18-amd64", hours)
}

func (l *log) shutdown(hours float64) *log { return l.add(runLevel, "shutdown", "~", "", hours) }

func newLog() *log { return &log{size: 384} }

func TestParse(t *testing.T) {
	t.Parallel()
	full := "abcdefghijklmnopqrstuvwxyz012345" // 32 bytes
	for _, size := range []int{384, 400} {
		l := (&log{size: size}).boot(0).add(6, "LOGIN", "tty1", "", 0.1).login("ada", "tty2", ":0", 0.5).
			login(full, "pts/0", "192.0.2.7", 1).logout("tty2", 2).add(5, "", "", "", 2)
		want := []record{
			{kind: bootTime, line: "~", user: "reboot", host: "6.1.0-18-amd64", at: at(0)},
			{kind: userProcess, line: "tty2", user: "ada", host: ":0", at: at(0.5)},
			{kind: userProcess, line: "pts/0", user: full, host: "192.0.2.7", at: at(1), cut: true},
			{kind: deadProcess, line: "tty2", at: at(2)},
		}
		for name, data := range map[string][]byte{"whole": l.data, "with half a record behind": append(slices.Clip(l.data), l.data[:200]...)} {
			if diff := cmp.Diff(want, parse(data), cmp.AllowUnexported(record{}), cmp.Transformer("UTC", time.Time.UTC)); diff != "" {
				t.Errorf("%s, records of %d bytes (-want +got):\n%s", name, size, diff)
			}
		}
	}
}

// TestParseProperties: the layout is recognized from a single record, and any bytes are read
// without a panic.
func TestParseProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{384, 400}).Draw(t, "size")
		seconds := rapid.Int64Range(1, 1<<32-1).Draw(t, "seconds")
		got := parse(entry(size, userProcess, "ada", "tty2", "", time.Unix(seconds, 0)))
		if len(got) != 1 || got[0].at.Unix() != seconds {
			t.Errorf("%+v, want one at %d", got, seconds)
		}
		noise := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "noise")
		for _, r := range parse(noise) {
			if r.at.Unix() <= 0 || len(r.user) > 32 {
				t.Errorf("%+v", r)
			}
		}
	})
}
