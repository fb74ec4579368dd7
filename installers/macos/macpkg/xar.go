package main

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // the checksum of the format; it protects nothing here
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"time"
)

// member is a file of the archive.
type member struct {
	name string
	data []byte
}

// xarHeader precedes the table of contents. All numbers are big-endian.
type xarHeader struct {
	Magic             [4]byte
	Size, Version     uint16
	TOCCompressed     uint64
	TOCUncompressed   uint64
	ChecksumAlgorithm uint32
}

// xarTOC is the table of contents, an XML document.
type xarTOC struct {
	XMLName  xml.Name  `xml:"xar"`
	Created  string    `xml:"toc>creation-time"`
	Checksum xarPlace  `xml:"toc>checksum"`
	Files    []xarFile `xml:"toc>file"`
}

// xarPlace is the place of the checksum of the table of contents in the heap, the part of the file
// after that table.
type xarPlace struct {
	Style  string `xml:"style,attr"`
	Offset int    `xml:"offset"`
	Size   int    `xml:"size"`
}

type xarFile struct {
	ID   int     `xml:"id,attr"`
	Data xarData `xml:"data"`
	Type string  `xml:"type"`
	Mode string  `xml:"mode"`
	Name string  `xml:"name"`
}

type xarData struct {
	Length    int         `xml:"length"` // in the archive
	Offset    int         `xml:"offset"` // in the heap
	Size      int         `xml:"size"`   // of the file
	Encoding  xarEncoding `xml:"encoding"`
	Archived  xarChecksum `xml:"archived-checksum"`
	Extracted xarChecksum `xml:"extracted-checksum"`
}

type xarEncoding struct {
	Style string `xml:"style,attr"`
}

type xarChecksum struct {
	Style string `xml:"style,attr"`
	Value string `xml:",chardata"`
}

// xar returns the archive. It does not compress the members, of which the large ones are compressed
// already.
func xar(members []member, created time.Time) ([]byte, error) {
	toc := xarTOC{Created: created.Format("2006-01-02T15:04:05"), Checksum: xarPlace{Style: "sha1", Size: sha1.Size}}
	var heap bytes.Buffer
	for i, m := range members {
		sum := sha1.Sum(m.data) //nolint:gosec // as above
		checksum := xarChecksum{"sha1", hex.EncodeToString(sum[:])}
		toc.Files = append(toc.Files, xarFile{ID: i + 1, Type: "file", Mode: "0644", Name: m.name, Data: xarData{
			Length: len(m.data), Size: len(m.data), Offset: sha1.Size + heap.Len(),
			Encoding: xarEncoding{"application/octet-stream"}, Archived: checksum, Extracted: checksum,
		}})
		heap.Write(m.data)
	}
	text, err := xml.MarshalIndent(toc, "", " ")
	if err != nil {
		return nil, err
	}
	text = append([]byte(xml.Header), text...)
	var compressed bytes.Buffer
	stream := zlib.NewWriter(&compressed)
	if _, err := stream.Write(text); err != nil {
		return nil, err
	}
	if err := stream.Close(); err != nil {
		return nil, err
	}
	header := xarHeader{
		Magic: [4]byte{'x', 'a', 'r', '!'}, Version: 1, ChecksumAlgorithm: 1, // SHA-1
		TOCCompressed: uint64(number(compressed.Len())), TOCUncompressed: uint64(number(len(text))),
	}
	header.Size = uint16(binary.Size(header)) //nolint:gosec // 28
	var out bytes.Buffer
	if err := binary.Write(&out, binary.BigEndian, header); err != nil {
		return nil, err
	}
	sum := sha1.Sum(compressed.Bytes()) //nolint:gosec // as above
	for _, part := range [][]byte{compressed.Bytes(), sum[:], heap.Bytes()} {
		out.Write(part)
	}
	return out.Bytes(), nil
}
