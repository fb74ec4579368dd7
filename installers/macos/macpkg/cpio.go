package main

import (
	"bytes"
	"fmt"
)

// cpio returns the files as an archive in the portable ASCII format of POSIX.1-1997 (pax, "octet
// oriented cpio"): a header of octal numbers, the name and the content of each file.
func cpio(nodes []node, seconds uint32) []byte {
	var out bytes.Buffer
	for i, n := range nodes {
		name := "."
		if n.path != "." {
			name = "./" + n.path
		}
		cpioFile(&out, number(i+1), n, name, seconds)
	}
	cpioFile(&out, 0, node{}, "TRAILER!!!", 0)
	return out.Bytes()
}

func cpioFile(out *bytes.Buffer, inode uint32, n node, name string, seconds uint32) {
	const magic, device, user, group, special = 0o070707, 0, 0, 0, 0
	links := 1
	if n.isFolder() {
		links = 2
	}
	fmt.Fprintf(out, "%06o%06o%06o%06o%06o%06o%06o%06o%011o%06o%011o", magic, device, inode, n.mode, user, group, links,
		special, seconds, len(name)+1, len(n.content))
	out.WriteString(name + "\x00")
	out.Write(n.content)
}
