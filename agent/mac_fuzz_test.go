package main

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/agent/section/battery"
	"github.com/musterhq/muster/agent/section/cpu"
	"github.com/musterhq/muster/agent/section/display"
	"github.com/musterhq/muster/agent/section/firmware"
	"github.com/musterhq/muster/agent/section/gpu"
	"github.com/musterhq/muster/agent/section/memory"
	"github.com/musterhq/muster/agent/section/operatingsystem"
	"github.com/musterhq/muster/agent/section/profiler"
	"github.com/musterhq/muster/agent/section/software"
	"github.com/musterhq/muster/agent/section/storage"
	"github.com/musterhq/muster/agent/section/system"
)

// FuzzProfile reads every section from a report.
func FuzzProfile(f *testing.F) {
	for _, seed := range []string{firmwareProfile, memoryProfile, disksProfile, displaysProfile} {
		f.Add([]byte(seed))
	}
	f.Add([]byte("Memory:\n\n    Slots:\n\n      ECC: Enabled\n\n        DIMM0:\n\n          Size: 2 GB\n          Part Number: 0x3848\n"))
	f.Add([]byte("Hardware:\n\n    Overview:\n\n      Model Identifier: a\n      CPU Type: PowerPC\n      Number Of CPUs: 2\n"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		report, err := profiler.Parse(data)
		if err != nil {
			return
		}
		for _, decode := range []func(profiler.Report) ([]proto.Message, error){
			system.FromProfile, firmware.FromProfile, cpu.FromProfile, memory.FromProfile, storage.FromProfile,
			display.FromProfile, operatingsystem.FromProfile, software.FromProfile, gpu.FromProfile, battery.FromProfile,
		} {
			_, _ = decode(report)
		}
	})
}
