package edid

import (
	"bytes"
	"fmt"
	"strings"
)

// descriptorLength is the length of a detailed timing or display descriptor, in bytes (VESA E-EDID
// 1.4 §3.10).
const descriptorLength = 18

// The tags of the display descriptors that are read here (§3.10.3).
const (
	tagName   = 0xFC
	tagSerial = 0xFF
)

// readDescriptors reads consecutive descriptors. It uses the first of each type and ignores a
// truncated one.
func (d *Display) readDescriptors(data []byte) {
	for ; len(data) >= descriptorLength; data = data[descriptorLength:] {
		descriptor := data[:descriptorLength]
		if descriptor[0] != 0 || descriptor[1] != 0 { // a pixel clock, so the descriptor is a timing
			d.readTiming(descriptor)
			continue
		}
		switch descriptor[3] {
		case tagName:
			d.Name = first(d.Name, text(descriptor[5:]))
		case tagSerial:
			d.SerialText = first(d.SerialText, text(descriptor[5:]))
		}
	}
}

func first(have, next string) string {
	if have != "" {
		return have
	}
	return next
}

// text reads the 13 bytes of a descriptor's text. A shorter text ends with a line feed and is
// padded with spaces (§3.10.3). Some displays end it with zeros or pad it with FF.
func text(raw []byte) string {
	if end := bytes.IndexAny(raw, "\n\x00"); end >= 0 {
		raw = raw[:end]
	}
	for len(raw) > 0 && (raw[len(raw)-1] == 0xFF || raw[len(raw)-1] == ' ') {
		raw = raw[:len(raw)-1]
	}
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(raw), "\uFFFD"))
	return strings.TrimSpace(clean)
}

// readTiming reads the resolution and the exact size from the first detailed timing, which is the
// preferred one (§3.10.2).
func (d *Display) readTiming(t []byte) {
	if d.Resolution != "" {
		return
	}
	width, height := upper(t[2], t[4]), upper(t[5], t[7])
	if width == 0 || height == 0 {
		return
	}
	suffix := ""
	if t[17]&0x80 != 0 { // interlaced: the timing has the lines of one of two fields
		height, suffix = 2*height, "i"
	}
	d.Resolution = fmt.Sprintf("%dx%d%s", width, height, suffix)
	d.refineSize(upper(t[12], t[14]), uint32(t[13])|uint32(t[14]&0x0F)<<8)
}

// upper joins eight low bits with the four high bits of another byte.
func upper(low, high byte) uint32 { return uint32(low) | uint32(high&0xF0)<<4 }

// refineSize replaces centimeters by millimeters unless they contradict. Many displays have an
// aspect ratio or the size of another model in their timings.
func (d *Display) refineSize(width, height uint32) {
	if near(width, d.WidthMM) && near(height, d.HeightMM) {
		d.WidthMM, d.HeightMM = width, height
	}
}

func near(a, b uint32) bool { return b != 0 && a+10 > b && b+10 > a }
