package security

import (
	"encoding/binary"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/musterhq/muster/agent/host"
	inventoryv1 "github.com/musterhq/muster/proto/muster/inventory/v1"
)

const (
	defender         = `HKLM\SOFTWARE\Microsoft\Windows Defender`
	defenderPolicy   = policies + `Windows Defender`
	defenderName     = "Microsoft Defender Antivirus"
	olderName        = "Windows Defender" // in the Security Center
	defenderService  = "windefend"
	realTimeSettings = `\Real-Time Protection`
)

// serverProducts are programs against malware by their services, for Windows Server, which has no
// Security Center.
var serverProducts = []struct{ service, name string }{
	{"csfalconservice", "CrowdStrike Falcon"},
	{"sentinelagent", "SentinelOne"},
	{"sophos endpoint defense service", "Sophos Endpoint"},
	{"ekrn", "ESET Security"},
	{"ds_agent", "Trend Micro Deep Security Agent"},
	{"epsecurityservice", "Bitdefender Endpoint Security Tools"},
	{"mfemms", "Trellix Endpoint Security"},
	{"cyserver", "Cortex XDR"},
	{"cbdefense", "Carbon Black Cloud"},
	{"sepmasterservice", "Symantec Endpoint Protection"},
	{"elasticendpoint", "Elastic Endpoint"},
	{"wazuhsvc", "Wazuh"},
}

// antivirus adds what the Security Center knows or, on Windows Server, what the services say.
func (s *windowsSurvey) antivirus() {
	products := s.providers("Av")
	for _, p := range products {
		item := s.addProvider("antivirus", p)
		item.UpToDate = proto.Bool(p.state&outdated == 0)
		if p.name == olderName || p.name == defenderName {
			s.describeDefender(item)
		}
	}
	if len(products) > 0 || s.unknown {
		return
	}
	if running, installed := s.services[defenderService]; installed {
		item := &inventoryv1.SecurityPosture{Control: "antivirus", Product: defenderName}
		off, _ := s.number("DisableRealtimeMonitoring", defenderPolicy+realTimeSettings, defender+realTimeSettings)
		s.add(item, running && off != 1)
		s.describeDefender(item)
	}
	for _, p := range serverProducts {
		if running, installed := s.services[p.service]; installed {
			s.add(&inventoryv1.SecurityPosture{Control: "antivirus", Product: p.name}, running)
		}
	}
}

// describeDefender adds the version of the program, which is in the name of its folder, and those
// of the signatures.
func (s *windowsSurvey) describeDefender(item *inventoryv1.SecurityPosture) {
	folder := strings.TrimRight(s.key(defender).Text("InstallLocation"), `\`)
	if _, version, found := strings.Cut(folder, `\Platform\`); found {
		item.Version = version
	}
	signatures := s.key(defender + `\Signature Updates`)
	item.SignatureVersion = signatures.Text("AVSignatureVersion")
	if ticks := signatures.Bytes("SignaturesLastUpdated"); len(ticks) == 8 {
		if at := host.FileTime(binary.LittleEndian.Uint64(ticks)); !at.IsZero() {
			item.SignatureDate = timestamppb.New(at)
		}
	}
}
