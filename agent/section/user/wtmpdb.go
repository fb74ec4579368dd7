package user

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/musterhq/muster/agent/host"
	"github.com/musterhq/muster/agent/section/software/sqlitefile"
)

// wtmpdb is the database in which newer distributions record sessions instead of wtmp
// (wtmpdbd(8)). It has no end in 2038 and is not rotated.
const wtmpdb = "/var/lib/wtmpdb/wtmp.db"

// The columns of its table wtmp. Times are in microseconds.
const (
	columnType = iota + 1
	columnUser
	columnLogin
	columnLogout
	columnTTY
	columnHost
)

// The types of its rows.
const (
	rowBoot = 1
	rowUser = 3
)

// maxRows bounds the rows that are used: the last ones.
const maxRows = 10_000

// readDatabase reads the session records of the database in the order of time. It returns
// fs.ErrNotExist if there is none.
func readDatabase(ctx context.Context, h *host.Host) ([]record, error) {
	db, closeFiles, err := sqlitefile.OpenOn(h, wtmpdb)
	defer closeFiles()
	if db == nil {
		return nil, fmt.Errorf("read %s: %w", wtmpdb, err)
	}
	var errs []error
	if err != nil {
		errs = append(errs, err)
	}
	var records []record
	for row, err := range db.Table("wtmp") {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("read %s: %w", wtmpdb, err))
			if len(errs) > maxErrors {
				break
			}
			continue
		}
		records = append(records, ofRow(row)...)
		if len(records) > 2*maxRows {
			records = slices.Clone(records[len(records)-maxRows:])
		}
	}
	slices.SortStableFunc(records, func(a, b record) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.kind, b.kind))
	})
	return records, errors.Join(errs...)
}

// maxErrors bounds the unreadable rows that are reported.
const maxErrors = 3

// ofRow returns the beginning and the end of a session or of a run of the machine. Sessions are
// numbered, because those of the network share one terminal's name.
func ofRow(row sqlitefile.Row) []record {
	login, logout := row.Int(columnLogin), row.Int(columnLogout)
	if login <= 0 || login/1e6 > maxSeconds {
		return nil
	}
	var records []record
	begin := record{at: time.UnixMicro(login)}
	switch row.Int(columnType) {
	case rowBoot:
		begin.kind = bootTime
		records = append(records, begin)
		if logout > login && logout/1e6 <= maxSeconds {
			records = append(records, record{kind: runLevel, user: "shutdown", at: time.UnixMicro(logout)})
		}
	case rowUser:
		begin.kind, begin.line = userProcess, strconv.FormatInt(row.ID, 10)
		begin.user = strings.ToValidUTF8(string(row.Bytes(columnUser)), "\uFFFD")
		begin.host = string(row.Bytes(columnHost))
		if begin.host == "" && string(row.Bytes(columnTTY)) == "ssh" {
			begin.host = "ssh"
		}
		records = append(records, begin)
		if logout >= login && logout/1e6 <= maxSeconds {
			records = append(records, record{kind: deadProcess, line: begin.line, at: time.UnixMicro(logout)})
		}
	}
	return records
}
