package main

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"testing"
)

// TestForwarder reads the DLL with the parser of the standard library.
func TestForwarder(t *testing.T) {
	t.Parallel()
	image, err := forwarder("bcryptprimitives.dll", "ProcessPrng", "ADVAPI32.SystemFunction036")
	if err != nil {
		t.Fatal(err)
	}
	file, err := pe.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	data, err := file.Sections[0].Data()
	if err != nil {
		t.Fatal(err)
	}
	var table exports
	if err := binary.Read(bytes.NewReader(data), binary.LittleEndian, &table); err != nil {
		t.Fatal(err)
	}
	text := func(address uint32) string {
		value, _, _ := bytes.Cut(data[address-file.Sections[0].VirtualAddress:], []byte{0})
		return string(value)
	}
	got := text(table.Name) + " " + text(table.FunctionName) + " " + text(table.Function)
	if got != "bcryptprimitives.dll ProcessPrng ADVAPI32.SystemFunction036" {
		t.Errorf("got %q", got)
	}
}

func TestForwarderRejectsArguments(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"file", "x.dll", "f"}, {"file", "x.dll", string(make([]byte, fileAlignment)) + "=y.g"}} {
		if err := run(args); err == nil {
			t.Errorf("%.40q was accepted", args)
		}
	}
}
