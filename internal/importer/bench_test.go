package importer_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/importer"
)

const programs = 3000

func benchmark(b *testing.B, format string, data []byte) {
	b.Helper()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := importer.Read(format, bytes.NewReader(data), importer.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	var text strings.Builder
	for i := range programs {
		fmt.Fprintf(&text, `,{"arch":"x86_64","comments":"what the program is good for","filesize":%d,"from":"rpm","name":"program-%d",`+
			`"publisher":"Example","system_category":"Unspecified","version":"1.%d-1","install_date":"2019-12-19"}`, i+1, i, i)
	}
	benchmark(b, "glpi-json", []byte(`{"deviceid":"pc","content":{"softwares":[`+text.String()[1:]+`]}}`))
}

func BenchmarkXML(b *testing.B) {
	var text strings.Builder
	for i := range programs {
		fmt.Fprintf(&text, "<SOFTWARES>\n<ARCH>x86_64</ARCH>\n<COMMENTS>what the program is good for</COMMENTS>\n<FILESIZE>%d</FILESIZE>\n<FROM>rpm</FROM>\n"+
			"<INSTALLDATE>19/12/2019</INSTALLDATE>\n<NAME>program-%d</NAME>\n<PUBLISHER>Example</PUBLISHER>\n<VERSION>1.%d-1</VERSION>\n</SOFTWARES>\n", i+1, i, i)
	}
	benchmark(b, "fusioninventory-xml", []byte(wrap(text.String())))
}

func BenchmarkCSV(b *testing.B) {
	var text strings.Builder
	text.WriteString("Serial;Vendor;Model;Bought;Price;Location\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "S%d;Example;Model 7;31.12.2023;1299,00;Building 4\n", i)
	}
	benchmark(b, "csv", []byte(text.String()))
}
