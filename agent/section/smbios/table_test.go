package smbios

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// captured is a machine of the corpus, which lies beside the checkout.
type captured struct {
	name       string
	table      []byte // as Linux has it
	entryPoint []byte
	windows    []byte // the same behind the header of Windows
}

func corpus(t testing.TB) []captured {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "..", "shared", "corpora", "smbios", "*", "windows-rsmb.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("the corpus smbios is not here: it is looked for in ../shared/corpora")
	}
	var machines []captured
	for _, file := range files {
		tables := filepath.Join(filepath.Dir(file), "sys", "firmware", "dmi", "tables")
		machines = append(machines, captured{
			name:       filepath.Base(filepath.Dir(file)),
			table:      read(t, filepath.Join(tables, "DMI")),
			entryPoint: read(t, filepath.Join(tables, "smbios_entry_point")),
			windows:    read(t, file),
		})
	}
	return machines
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// everything is all that a table says.
type everything struct {
	BIOS       BIOS
	System     System
	Board      Board
	Chassis    Chassis
	Processors []Processor
	Memory     []MemoryDevice
}

func all(t *Table) everything {
	var e everything
	e.BIOS, _ = t.BIOS()
	e.System, _ = t.System()
	e.Board, _ = t.Board()
	e.Chassis, _ = t.Chassis()
	e.Processors, e.Memory = t.Processors(), t.MemoryDevices()
	return e
}

// TestVersionIsInferred: a table without its entry point has the same result, including the byte
// order of the UUID.
func TestVersionIsInferred(t *testing.T) {
	t.Parallel()
	for _, m := range corpus(t) {
		with, err := Parse(m.table, m.entryPoint)
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		alone, err := Parse(m.table, nil)
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		if diff := cmp.Diff(all(&with), all(&alone)); diff != "" {
			t.Errorf("%s (-with entry point +alone):\n%s", m.name, diff)
		}
	}
}

// TestCutTablesInventNothing truncates every table at many places. Each field that is read equals
// that of the whole table or is absent; a truncated serial number would be wrong.
func TestCutTablesInventNothing(t *testing.T) {
	t.Parallel()
	for _, m := range corpus(t) {
		whole, err := Parse(m.table, m.entryPoint)
		if err != nil {
			t.Fatal(err)
		}
		want := all(&whole)
		for end := 0; end < len(m.table); end += 1 + len(m.table)/500 {
			table, err := Parse(m.table[:end], m.entryPoint)
			if err == nil {
				t.Fatalf("%s cut to %d of %d bytes passes for a whole table", m.name, end, len(m.table))
			}
			if !errors.Is(err, ErrIncomplete) && !errors.Is(err, ErrNoTable) {
				t.Fatalf("%s cut to %d bytes: %v", m.name, end, err)
			}
			comparePart(t, m.name, want, all(&table))
		}
	}
}

func comparePart(t *testing.T, name string, want, got everything) {
	t.Helper()
	wantOrAbsent := func(what, got, want string) {
		if got != "" && got != want {
			t.Fatalf("%s: %s = %q, the whole table says %q", name, what, got, want)
		}
	}
	wantOrAbsent("serial number", got.System.SerialNumber, want.System.SerialNumber)
	wantOrAbsent("uuid", got.System.UUID, want.System.UUID)
	wantOrAbsent("family", got.System.Family, want.System.Family)
	wantOrAbsent("release date", got.BIOS.ReleaseDate, want.BIOS.ReleaseDate)
	wantOrAbsent("board serial", got.Board.SerialNumber, want.Board.SerialNumber)
	wantOrAbsent("chassis serial", got.Chassis.SerialNumber, want.Chassis.SerialNumber)
	for i, p := range got.Processors {
		wantOrAbsent("processor", p.Version, want.Processors[i].Version)
	}
	for i, d := range got.Memory {
		if d.Size != want.Memory[i].Size {
			t.Fatalf("%s: slot %d has %d bytes, the whole table says %d", name, i, d.Size, want.Memory[i].Size)
		}
		wantOrAbsent("memory serial", d.SerialNumber, want.Memory[i].SerialNumber)
		wantOrAbsent("part number", d.PartNumber, want.Memory[i].PartNumber)
	}
}

// TestDamagedTables flips bits and truncates both forms. Parse must not panic and must not take
// long.
func TestDamagedTables(t *testing.T) {
	t.Parallel()
	for n, m := range corpus(t) {
		random := rand.New(rand.NewPCG(1, uint64(n)))
		for _, form := range [][]byte{m.table, m.windows} {
			for range 200 {
				data := bytes.Clone(form)
				for range 1 + random.IntN(32) {
					data[random.IntN(len(data))] ^= 1 << random.IntN(8)
				}
				data = data[:len(data)-random.IntN(len(data))/(1+random.IntN(50))]
				start := time.Now()
				if table, err := Parse(data, m.entryPoint); err == nil || errors.Is(err, ErrIncomplete) {
					all(&table)
				}
				if took := time.Since(start); took > 2*time.Second {
					t.Fatalf("%s: %v", m.name, took)
				}
			}
		}
	}
}

// TestJunkAfterTheEnd: Windows pads some tables; bytes after the end-of-table structure are
// ignored.
func TestJunkAfterTheEnd(t *testing.T) {
	t.Parallel()
	for _, m := range corpus(t) {
		whole, err := Parse(m.table, m.entryPoint)
		if err != nil {
			t.Fatal(err)
		}
		for _, junk := range [][]byte{make([]byte, 300), bytes.Repeat([]byte{0xFF}, 300), m.table} {
			padded, err := Parse(append(bytes.Clone(m.table), junk...), m.entryPoint)
			if err != nil {
				t.Fatalf("%s: %v", m.name, err)
			}
			if diff := cmp.Diff(all(&whole), all(&padded)); diff != "" {
				t.Errorf("%s with junk (-want +got):\n%s", m.name, diff)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(build(structure(typeSystem, 0x1B, map[int]byte{4: 1}, "Maker"), endOfTable), []byte(nil))
	f.Add([]byte("\x00\x03\x02\x00\x06\x00\x00\x00\x7f\x04\xfe\xff\x00\x00"), []byte("_SM_"))
	f.Fuzz(func(t *testing.T, data, entryPoint []byte) {
		table, err := Parse(data, entryPoint)
		if errors.Is(err, ErrNoTable) {
			return
		}
		e := all(&table)
		for _, s := range []string{e.System.SerialNumber, e.Board.Product, e.BIOS.Vendor} {
			if !isPlain(s) {
				t.Errorf("%q is not for print", s)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	machines := corpus(b)
	b.ReportAllocs()
	for b.Loop() {
		for _, m := range machines {
			table, err := Parse(m.table, m.entryPoint)
			if err != nil {
				b.Fatal(err)
			}
			all(&table)
		}
	}
}
