package archtest

// A pattern is the path of a package below the module. "…/..." also matches all packages below it.

// folders are the only folders at the top of the tree. make writes bin and var.
var folders = []string{"agent", "api", "bin", "collector", "installers", "internal", "proto", "var"}

// uses lists the packages of this module that each package may import. Tests may import more,
// because they combine packages that are otherwise independent.
var uses = []struct {
	pkg   string
	may   []string
	allow string // the reason, if it is not obvious
}{
	{pkg: "proto/..."},
	{pkg: "internal/inventory"},
	{pkg: "internal/edid", may: []string{"proto/..."}, allow: "agent and importers read displays alike"},
	{pkg: "internal/wire", may: []string{"proto/...", "internal/inventory"}},
	{pkg: "internal/pki", may: []string{"internal/inventory"}},

	{pkg: "agent", may: []string{"agent/...", "proto/...", "internal/inventory", "internal/wire", "internal/pki", "internal/edid", "internal/osservice", "internal/cli", "installers"}},
	{pkg: "agent/host"},
	{pkg: "agent/section/...", may: []string{"agent/section/...", "agent/host", "proto/...", "internal/inventory", "internal/edid"}},
	{pkg: "agent/state", may: []string{"agent/host", "proto/...", "internal/inventory", "internal/wire"},
		allow: "one agent at a time has the state, and each system locks files in its own way"},
	{pkg: "agent/link", may: []string{"agent/state", "proto/...", "internal/inventory", "internal/wire", "internal/pki"}},

	{pkg: "collector", may: []string{"collector/...", "api/...", "proto/...", "internal/..."}},
	{pkg: "collector/rpc", may: []string{"proto/...", "internal/ingest", "internal/inventory", "internal/wire", "internal/pki"}},
	{pkg: "collector/glpi", may: []string{"internal/inventory"}},
	{pkg: "internal/identify", may: []string{"internal/inventory", "internal/catalog"}, allow: "serial numbers are unique among those of one maker"},
	{pkg: "internal/reconcile", may: []string{"internal/inventory"}},
	{pkg: "internal/catalog", may: []string{"internal/inventory"}},
	{pkg: "internal/importer", may: []string{"internal/inventory", "internal/edid", "internal/wire", "proto/..."}},
	{pkg: "internal/ingest", may: []string{"internal/store/items", "internal/store/resolve", "internal/inventory", "internal/identify", "internal/reconcile",
		"internal/catalog", "internal/importer", "internal/wire", "proto/..."}},
	{pkg: "internal/store", may: []string{"internal/store/...", "internal/inventory"}},
	{pkg: "internal/store/db", may: []string{"internal/inventory"}},
	{pkg: "internal/store/agents", may: []string{"internal/inventory", "internal/store/db"}},
	{pkg: "internal/store/items", may: []string{"internal/inventory", "internal/store/db"}},
	{pkg: "internal/store/cmdb", may: []string{"internal/inventory", "internal/identify", "internal/store/db", "internal/store/items"},
		allow: "the views of devices decode readings; reviews explain the reason that a rule stored"},
	{pkg: "internal/store/resolve", may: []string{"internal/inventory", "internal/identify", "internal/reconcile", "internal/store/db",
		"internal/store/items", "internal/store/cmdb"}},
	{pkg: "internal/report", may: []string{"internal/inventory"}},
	{pkg: "api", may: []string{"internal/inventory", "internal/report"}},
	{pkg: "api/console", may: []string{"internal/inventory", "internal/report"}},

	{pkg: "internal/postgres"},
	{pkg: "internal/osservice"},
	{pkg: "internal/cli"},
	{pkg: "installers/..."},
	{pkg: "internal/archtest"},
	{pkg: "internal/pgtest", may: []string{"internal/postgres"}},
	{pkg: "internal/e2e"},
	{pkg: "internal/bench", may: []string{"agent/...", "collector/...", "api/...", "internal/...", "proto/..."},
		allow: "it measures both sides at once; no program imports it"},
}

// planned are packages that the rules already name and that do not exist yet.
var planned = []string{"internal/report", "api/console"}

// owners lists the packages that alone may import a third-party library, or a package of the
// standard library whose use is restricted.
var owners = []struct {
	library string // an import path; it includes all packages below it
	by      []string
	reason  string
}{
	{"github.com/jackc/pgx/v5", []string{"internal/store/...", "internal/pgtest", "internal/bench"}, "pgtest clones databases; bench reads the server's statistics"},
	{"github.com/pressly/goose/v3", []string{"internal/store/db"}, "only store/db migrates"},
	{"database/sql", []string{"internal/store/db", "agent/host", "agent/section/software/...", "agent/section/user"}, "goose requires it; rpm's and wtmpdb's databases may be SQLite"},
	{"github.com/danielgtaylor/huma/v2", []string{"api"}, "one package implements the REST API"},
	{"html/template", []string{"api", "api/console"}, "the console, and the page that describes the API"},
	{"google.golang.org/grpc", []string{"collector/rpc", "agent/link", "proto/...", "internal/bench"}, "generated code is part of proto; bench plays a fleet"},
	{"github.com/kardianos/service", []string{"internal/osservice"}, "one package knows the service managers"},
	{"github.com/alecthomas/kong", []string{"agent", "collector", "internal/cli"}, "only the mains read flags; cli documents them"},
	{"os/exec", []string{"internal/postgres", "collector", "internal/bench", "agent/host"}, "initdb and postgres; demo and bench start an agent. The agent starts only the commands of agent/host/command.go, on macOS"},
	{"golang.org/x/sys", []string{"agent/host", "internal/osservice"}, "the only access to the machine, and to its service manager"},
	{"github.com/jaypipes/ghw", []string{"agent/host"}, "the only access to the machine"},
	{"github.com/shirou/gopsutil/v4", []string{"agent/host"}, "the only access to the machine"},
	{"github.com/yusufpapurcu/wmi", []string{"agent/host"}, "the only access to the machine"},
	{"github.com/go-ole/go-ole", []string{"agent/host"}, "the only access to the machine"},
	{"github.com/safchain/ethtool", []string{"agent/host"}, "the only access to the machine"},
	{"unsafe", []string{"agent/host", "internal/osservice", "proto/..."}, "system calls of Windows; generated code"},
}

// programs lists the programs and the packages that must not be linked into them on any system,
// directly or indirectly.
var programs = []struct {
	pkg    string
	never  []string
	reason string
}{
	{"agent", []string{
		module + "/internal/store", module + "/internal/ingest", module + "/internal/postgres", module + "/api", module + "/collector",
		"github.com/jackc/pgx/v5", "github.com/pressly/goose/v3", "github.com/danielgtaylor/huma/v2", "html/template",
	}, "the agent is small and knows no database"},
	{"agent", testOnly, "tests stay out of programs"},
	{"collector", testOnly, "tests stay out of programs"},
	{"collector", []string{module + "/agent"}, "the collector knows agents by the protocol only"},
}

var testOnly = []string{"testing", "github.com/google/go-cmp", "pgregory.net/rapid", module + "/internal/pgtest"}

// pure are the packages without I/O, clock and context: equal arguments always return equal
// results.
var pure = []string{"internal/inventory", "internal/edid", "internal/identify", "internal/reconcile", "internal/catalog", "internal/wire"}

// impure are the packages that no pure package imports.
var impure = []string{"context", "os", "net", "net/http", "io/ioutil", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand", "syscall"}

// constrained are the packages whose files may be limited to one system. All other packages are
// compiled and tested on every system.
var constrained = map[string]string{
	"agent/host":         "the only access to the machine",
	"internal/osservice": "each system has its own service manager",
	"internal/postgres":  "the user, the death signal and the lock of a child process have no portable form",
}

// machinePaths are the first elements of paths that exist on one machine only.
var machinePaths = []string{"work", "root"}

// maxComment is the width of comments, in columns. Code may have 120 (lll).
const maxComment = 100
