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

// The shape of the fleet.
const (
	imagePackages = 800  // of the golden image; where it has fewer, more are made up
	applications  = 150  // on each machine, drawn from the titles
	titles        = 3000 // that there are
	zipfExponent  = 1.1  // the n-th title's share is 1/n^1.1
	rings         = 8    // of machines that are upgraded one after the other
	wavePackages  = 20   // that an upgrade brings
)

// fleet makes up machines. The same seed and golden image give the same machines.
type fleet struct {
	seed     uint64
	image    golden
	software *wire.Section
	base     []*title // on every machine
	others   []*title // the applications, the popular ones first
	imaged   time.Time
}

// title is a package in its versions. Encoding it once is what makes a fleet cheap to play.
type title struct {
	versions []wire.Encoded // oldest first
	readings *inventoryv1.Software
	age      time.Duration // of its installation in the image
}

func newFleet(seed uint64, image golden) (*fleet, error) {
	software, _ := wire.Lookup("software")
	f := &fleet{seed: seed, image: image, software: software, imaged: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
	random := f.random(-1)
	var err error
	for i := range imagePackages {
		item := madeUp("lib", i, random)
		if i < len(image[software.Name]) {
			item = image[software.Name][i].(*inventoryv1.Software) //nolint:forcetypeassert // golden holds what the section is made of
		}
		if f.base, err = f.appendTitle(f.base, item, 2); err != nil {
			return nil, err
		}
	}
	for i := range titles {
		if f.others, err = f.appendTitle(f.others, madeUp("app", i, random), rings/appUpgrades+2); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// random gives the numbers that one machine follows from, or the fleet for a negative one.
func (f *fleet) random(machine int) *rand.Rand {
	return rand.New(rand.NewPCG(f.seed, uint64(machine+1))) //nolint:gosec // no secret, and the same every time
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

// upgraded gives a package after so many upgrades, as a distribution numbers them.
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

// madeUp makes a package that nobody has.
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

// appUpgrades is how many waves lie between two upgrades of an application.
const appUpgrades = 4

// levelOf gives the version of the n-th package of the image after a number of waves. Each wave upgrades the next few, so
// that what is new on one ring's machines was new on the ring's before it one wave earlier.
func levelOf(n, wave int) int {
	if n/wavePackages < wave {
		return 1
	}
	return 0
}
