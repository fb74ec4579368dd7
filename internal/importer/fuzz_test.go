package importer_test

import (
	"bytes"
	"testing"

	"github.com/musterhq/muster/internal/importer"
)

// fuzz reads arbitrary data: Read either returns an error, or documents that keep the invariants.
func fuzz(f *testing.F, format string, seeds ...string) {
	f.Helper()
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := importer.Read(format, bytes.NewReader(data), importer.Options{Name: "test"})
		if err != nil {
			if docs != nil {
				t.Fatal("documents with an error")
			}
			return
		}
		for _, d := range docs {
			checkDocument(t, d)
		}
	})
}

func FuzzJSON(f *testing.F) {
	fuzz(f, "glpi-json",
		`{"deviceid":"a","content":{"bios":{"ssn":"1"},"hardware":{"name":"a","memory":1,"lastloggeduser":"D\\u"},"drives":[{"type":"/","total":1}]}}`,
		`{"deviceid":"a","partial":true,"content":{"softwares":[{"name":"a","install_date":"13/01/2020"},{"name":"a"}],"monitors":[{"base64":"AP///////wA="}]}}`,
		`[{"content":{"network_device":{"type":"Printer","mac":"00:00:00:00:00:01"},"network_ports":[{"iftype":6,"mac":"x"}]}}]`,
		`{"deviceid":"a","itemtype":"Phone","content":{"networks":[{"description":"e","ipaddress":"1.2.3.4","ipmask":"255.0.0.0"}]}}`)
}

func FuzzXML(f *testing.F) {
	fuzz(f, "ocs-xml",
		wrap(`<CPUS><CORES>2</CORES></CPUS><MEMORIES><CAPTION>A</CAPTION></MEMORIES><MEMORIES><CAPTION>A</CAPTION></MEMORIES><MONITORS><NAME>m</NAME></MONITORS>`),
		wrap(`<NETWORKS><DESCRIPTION>e</DESCRIPTION><IPADDRESS>::1%1</IPADDRESS></NETWORKS><PRINTERS><NAME>p</NAME><PORT>USB001</PORT></PRINTERS>`),
		`<?xml version="1.0" encoding="ISO-8859-1"?><REQUEST><QUERY>SNMP</QUERY><CONTENT><DEVICE><INFO><SERIAL>1</SERIAL></INFO></DEVICE></CONTENT></REQUEST>`)
}

func FuzzCSV(f *testing.F) {
	fuzz(f, "csv", "serial;price;bought;type\nA;1,5 €;1/2/2003;Notebook\n", "\xff\xfes\x00\n\x00", "mac,ok\n\"00-11-22-33-44-55\",x\n", "\uFEFFname\n\"a\nb\"\n")
}
