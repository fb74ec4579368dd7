package main

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/internal/wire"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const (
	programs     = 950 // on each machine
	zipfExponent = 1.1
	rings        = 8  // groups of machines that are upgraded one after the other
	wavePackages = 20 // packages per upgrade
)

// similarity describes how much of the software is the same on all machines of a fleet.
type similarity struct {
	name     string
	image    int // programs of the golden image, which every machine has
	titles   int // applications, of which each machine draws the rest of its programs
	versions int // of an application in use, one of which a machine draws; 0: its ring decides
	// The share of the n-th title is 1/(n + spread)^zipfExponent: the larger the spread, the less
	// popular are the first titles.
	spread float64
}

var (
	// highSimilarity is a company whose desktops are installed from one image.
	highSimilarity = similarity{name: "high", image: 800, titles: 3_000, spread: 1}
	// mediumSimilarity is a small image with many applications beside it.
	mediumSimilarity = similarity{name: "medium", image: 400, titles: 10_000, versions: 2, spread: 100}
	// lowSimilarity is the worst case: every machine is installed by its user.
	lowSimilarity = similarity{name: "low", titles: 30_000, versions: 3, spread: 1000}
)

func similarityOf(name string) (similarity, error) {
	for _, s := range []similarity{highSimilarity, mediumSimilarity, lowSimilarity} {
		if s.name == name {
			return s, nil
		}
	}
	return similarity{}, fmt.Errorf("%q is not high, medium or low", name)
}

// fleet makes up machines. The same seed, golden image and similarity result in the same machines.
type fleet struct {
	similarity

	seed     uint64
	image    golden
	software *wire.Section
	base     []*title // on every machine
	others   []*title // the applications, by popularity
	imaged   time.Time
}

// title is a package in its versions. The fleet encodes each of them only once.
type title struct {
	versions []wire.Encoded // oldest first
	readings *inventoryv1.Software
	age      time.Duration // of its installation in the image
}

// program is a version of a title that a machine has.
type program struct {
	*title

	level int
}

func newFleet(seed uint64, image golden, s similarity) (*fleet, error) {
	software, _ := wire.Lookup("software")
	f := &fleet{
		similarity: s, seed: seed, image: image, software: software,
		imaged: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC),
	}
	random := f.random(-1)
	var err error
	for i := range s.image {
		item := madeUp("lib", i, random)
		if i < len(image[software.Name]) {
			item = image[software.Name][i].(*inventoryv1.Software) //nolint:forcetypeassert // the section's type
		}
		if f.base, err = f.appendTitle(f.base, item, 2); err != nil {
			return nil, err
		}
	}
	versions := rings/appUpgrades + 2
	if s.versions > 0 {
		versions = s.versions + 1 // one more for the upgrade of the last
	}
	for i := range s.titles {
		if f.others, err = f.appendTitle(f.others, madeUp("app", i, random), versions); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// random returns the source of randomness of a machine, or of the fleet for a negative number.
func (f *fleet) random(machine int) *rand.Rand {
	return rand.New(rand.NewPCG(f.seed, uint64(machine+1))) //nolint:gosec // reproducible on purpose
}

// programsOf returns the software of a machine: the image and its own choice of applications.
func (f *fleet) programsOf(machine, wave int) []program {
	random := rand.New(rand.NewPCG(^f.seed, uint64(machine+1))) //nolint:gosec // reproducible on purpose
	list := make([]program, 0, programs)
	for n, t := range f.base {
		list = append(list, program{t, levelOf(n, wave)})
	}
	zipf := rand.NewZipf(random, zipfExponent, f.spread, uint64(f.titles-1)) //nolint:gosec // never negative
	chosen := map[uint64]bool{}
	for len(list) < programs {
		n := zipf.Uint64()
		if chosen[n] {
			continue
		}
		chosen[n] = true
		level := (wave + int(n%appUpgrades)) / appUpgrades
		if f.versions > 0 {
			level = random.IntN(f.versions)
		}
		list = append(list, program{f.others[n], level})
	}
	return list
}

// upgradedPrograms returns the programs of a machine that a wave upgrades by one level: those of
// the image, or without an image some of the machine's own.
func (f *fleet) upgradedPrograms(machine, wave int) []program {
	if len(f.base) == 0 {
		wave -= firstWave(machine)
		return f.programsOf(machine, 0)[(wave-1)*wavePackages : wave*wavePackages]
	}
	var list []program
	for _, t := range f.base[(wave-1)*wavePackages : wave*wavePackages] {
		list = append(list, program{t, 0})
	}
	return list
}

// sharedSoftware returns the mean share of the software that two machines have in common.
func (f *fleet) sharedSoftware() float64 {
	const pairs = 50
	shared := 0
	for n := range pairs {
		has := map[wire.Hash]bool{}
		for _, p := range f.programsOf(2*n, firstWave(2*n)) {
			has[p.versions[p.level].Hash] = true
		}
		for _, p := range f.programsOf(2*n+1, firstWave(2*n+1)) {
			if has[p.versions[p.level].Hash] {
				shared++
			}
		}
	}
	return float64(shared) / (pairs * programs)
}

// unknownSoftware returns the mean number of programs of a machine of the second half that no
// machine had before.
func (f *fleet) unknownSoftware(machines int) float64 {
	known := map[wire.Hash]bool{}
	half, unknown := firstHalf(machines), 0
	for machine := range machines {
		for _, p := range f.programsOf(machine, firstWave(machine)) {
			hash := p.versions[p.level].Hash
			if !known[hash] && machine >= half {
				unknown++
			}
			known[hash] = true
		}
	}
	return float64(unknown) / float64(max(machines-half, 1))
}

func (f *fleet) appendTitle(list []*title, item *inventoryv1.Software, versions int) ([]*title, error) {
	t := &title{readings: &inventoryv1.Software{InstallLocation: item.InstallLocation, SizeBytes: item.SizeBytes}}
	if item.InstallDate != nil {
		t.age = f.imaged.Sub(item.InstallDate.AsTime())
	}
	for level := range versions {
		encoded, err := f.software.Encode(upgraded(item, level))
		if err != nil {
			return nil, err
		}
		t.versions = append(t.versions, encoded)
	}
	return append(list, t), nil
}

// upgraded returns a package after a number of upgrades, with the version that a distribution would
// give it.
func upgraded(item *inventoryv1.Software, times int) *inventoryv1.Software {
	if times == 0 {
		return item
	}
	suffix := fmt.Sprintf("+deb12u%d", times)
	newer := proto.CloneOf(item)
	newer.Version += suffix
	if before, after, ok := strings.Cut(item.Purl, "?"); ok {
		newer.Purl = before + url.QueryEscape(suffix) + "?" + after
	}
	return newer
}

// madeUp makes up a package.
func madeUp(kind string, number int, random *rand.Rand) *inventoryv1.Software {
	vendor := word(random)
	name := fmt.Sprintf("%s-%s-%s%d", kind, word(random), word(random), number)
	version := fmt.Sprintf("%d.%d.%d-%d", random.IntN(20), random.IntN(40), random.IntN(10), 1+random.IntN(4))
	return &inventoryv1.Software{
		Source: "dpkg", Name: name, Arch: "amd64", Version: version,
		Publisher:   fmt.Sprintf("%s Maintainers <%s@%s.example>", vendor, name, vendor),
		Purl:        fmt.Sprintf("pkg:deb/debian/%s@%s?arch=amd64&distro=bookworm", name, version),
		InstallDate: timestamppb.New(time.Date(2025, 6, 1, 0, 0, 7*number, 0, time.UTC)),
		SizeBytes:   proto.Uint64(uint64(random.IntN(100_000)) << 10), //nolint:gosec // never negative
	}
}

func word(random *rand.Rand) string {
	const consonants, vowels = "bcdfghjklmnprstvwz", "aeiou"
	var b strings.Builder
	for range 2 + random.IntN(2) {
		b.WriteByte(consonants[random.IntN(len(consonants))])
		b.WriteByte(vowels[random.IntN(len(vowels))])
	}
	return b.String()
}

// appUpgrades is the number of waves between two upgrades of an application.
const appUpgrades = 4

// levelOf returns the version of the n-th package of the image after a number of waves. Each wave
// upgrades the next few packages, so that what is new to one ring was new to the ring before it one
// wave earlier.
func levelOf(n, wave int) int {
	if n/wavePackages < wave {
		return 1
	}
	return 0
}
