// Command macpkg writes a flat installer package of macOS on any system: a xar archive with the
// files of a folder (Payload), the list of them (Bom), the scripts and a description
// (PackageInfo). Equal content gives equal packages: all files belong to root, and all times are
// SOURCE_DATE_EPOCH.
//
//	macpkg ROOT SCRIPTS IDENTIFIER VERSION OUT.pkg
//
// Start reading at pack. Installer itself has never read a package of this program; README.md of
// installers says what has.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "macpkg:", err)
		os.Exit(1)
	}
}

func run(args []string, epoch string) error {
	const want = 5
	if len(args) != want {
		return fmt.Errorf("got %d arguments, want ROOT SCRIPTS IDENTIFIER VERSION OUT.pkg", len(args))
	}
	seconds, err := strconv.ParseUint(epoch, 10, 32)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	root, err := readTree(args[0])
	if err != nil {
		return err
	}
	scripts, err := readTree(args[1])
	if err != nil {
		return err
	}
	archive, err := pack(root, scripts, args[2], args[3], uint32(seconds))
	if err != nil {
		return err
	}
	return os.WriteFile(args[4], archive, 0o644) //nolint:gosec // a package is public
}

// pack returns the package.
func pack(root, scripts []node, identifier, version string, seconds uint32) ([]byte, error) {
	info, err := packageInfo(root, identifier, version)
	if err != nil {
		return nil, err
	}
	list, err := bom(root, seconds)
	if err != nil {
		return nil, err
	}
	payload, err := compress(cpio(root, seconds))
	if err != nil {
		return nil, err
	}
	installers, err := compress(cpio(scripts, seconds))
	if err != nil {
		return nil, err
	}
	return xar([]member{
		{"Bom", list}, {"PackageInfo", info}, {"Payload", payload}, {"Scripts", installers},
	}, time.Unix(int64(seconds), 0).UTC())
}

// compress returns a gzip stream without a name and a time.
func compress(data []byte) ([]byte, error) {
	var out bytes.Buffer
	stream := gzip.NewWriter(&out)
	if _, err := stream.Write(data); err != nil {
		return nil, err
	}
	if err := stream.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// pkgInfo is the content of PackageInfo.
type pkgInfo struct {
	XMLName       xml.Name `xml:"pkg-info"`
	FormatVersion int      `xml:"format-version,attr"`
	Identifier    string   `xml:"identifier,attr"`
	Version       string   `xml:"version,attr"`
	Location      string   `xml:"install-location,attr"`
	Auth          string   `xml:"auth,attr"`
	Overwrite     bool     `xml:"overwrite-permissions,attr"`
	Relocatable   bool     `xml:"relocatable,attr"`
	Payload       struct {
		Files     int `xml:"numberOfFiles,attr"`
		Kilobytes int `xml:"installKBytes,attr"`
	} `xml:"payload"`
	Before script `xml:"scripts>preinstall"`
	After  script `xml:"scripts>postinstall"`
}

type script struct {
	File string `xml:"file,attr"`
}

func packageInfo(root []node, identifier, version string) ([]byte, error) {
	const kilobyte = 1024
	info := pkgInfo{
		FormatVersion: 2, Identifier: identifier, Version: version, Location: "/", Auth: "root",
		Before: script{"./preinstall"}, After: script{"./postinstall"},
	}
	info.Payload.Files = len(root)
	for _, n := range root {
		info.Payload.Kilobytes += (len(n.content) + kilobyte - 1) / kilobyte
	}
	text, err := xml.MarshalIndent(info, "", "\t")
	return append([]byte(xml.Header), append(text, '\n')...), err
}
