package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/musterhq/muster/internal/inventory"
)

const (
	// maxStreams bounds the lists streamed at a time. Each one needs a database connection.
	maxStreams = 4
	// maxStall is the time that a client may make the stream wait, in all. What it reads earns it
	// more: a second for every minRate bytes, up to maxStall.
	maxStall = 30 * time.Second
	minRate  = 16 << 10
	// chunkSize is the size of a write to the client, in bytes.
	chunkSize = 64 << 10
	// rowsTrailer is the trailer with the number of rows.
	rowsTrailer = "Muster-Rows"
	// cursorTrailer is the trailer with the cursor, see PageOf.Cursor.
	cursorTrailer = "Muster-Cursor"
)

// stream answers with the whole list. It keeps one row and one chunk in memory.
func stream[T any](s *server, ctx huma.Context, l listing[T], page inventory.Page, f format) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		p := newProblem(
			ctx.Context(),
			http.StatusServiceUnavailable,
			fmt.Sprintf("the collector already streams %d lists; try again after the time in Retry-After", maxStreams),
		)
		p.retryAfter(defaultRetry)
		s.answer(ctx, p)
		return
	}
	_, w := humago.Unwrap(ctx)
	paced := newPacedWriter(w)
	defer paced.done()
	out := bufio.NewWriterSize(paced, chunkSize)
	rows := newRowWriter(out, f, l.table)
	begun, n := false, 0
	begin := func() error {
		begun = true
		l.announce(ctx, s.fileName(l.name, page, f), f)
		return rows.header()
	}
	var last inventory.Position
	err := l.read(ctx.Context(), page, func(row T, at inventory.Position) error {
		if !begun {
			if err := begin(); err != nil {
				return err
			}
		}
		n, last = n+1, at
		return rows.row(row)
	})
	if err == nil && !begun {
		err = begin()
	}
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = l.trailers(w.Header(), n, last)
	}
	switch {
	case err == nil:
	case paced.failed != nil:
		s.logSlowReader(ctx.Context(), paced.failed)
		panic(http.ErrAbortHandler)
	case !begun:
		s.answer(ctx, s.problem(ctx.Context(), err))
	default:
		_ = s.problem(ctx.Context(), err) // for the log
		panic(http.ErrAbortHandler)       // the client must notice that rows are missing
	}
}

func (l listing[T]) announce(ctx huma.Context, name string, f format) {
	contentType := string(f)
	if f == formatCSV {
		contentType += "; charset=utf-8; header=present" // RFC 7111 §5.1, RFC 4180 §3
	}
	ctx.SetHeader("Content-Type", contentType)
	ctx.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
	ctx.SetHeader("Trailer", rowsTrailer)
	if l.feed {
		ctx.SetHeader("Trailer", rowsTrailer+", "+cursorTrailer)
	}
	ctx.SetHeader("Vary", "Accept")
	ctx.SetStatus(http.StatusOK)
}

// trailers sets the trailers of a complete stream.
func (l listing[T]) trailers(header http.Header, rows int, last inventory.Position) error {
	header.Set(rowsTrailer, strconv.Itoa(rows))
	if !l.feed {
		return nil
	}
	cursor, err := l.after(last)
	if err == nil && cursor != "" {
		header.Set(cursorTrailer, cursor)
	}
	return err
}

// fileName returns the name of a download: the list and the instant of the answer.
func (s *server) fileName(list string, page inventory.Page, f format) string {
	at := page.AsOf
	if at.IsZero() {
		at = s.Now()
	}
	return "muster-" + list + "-" + at.UTC().Format("20060102T150405Z") + "." + f.extension()
}

// logSlowReader logs why a stream was aborted, unless the client left.
func (s *server) logSlowReader(ctx context.Context, err error) {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return
	}
	about, _ := ctx.Value(requestKey{}).(request)
	s.Logger.WarnContext(ctx, "aborted a list whose client reads too slowly",
		"request_id", about.id, "path", about.path)
}

// pacedWriter aborts the stream to a client that reads less than minRate over a longer time, since
// each stream occupies a slot and a database connection.
type pacedWriter struct {
	w       io.Writer
	control *http.ResponseController
	left    time.Duration // that the client may still make the stream wait
	failed  error         // the error of the last write
}

func newPacedWriter(w http.ResponseWriter) *pacedWriter {
	return &pacedWriter{w: w, control: http.NewResponseController(w), left: maxStall}
}

func (p *pacedWriter) Write(b []byte) (n int, _ error) {
	began := time.Now()
	_ = p.control.SetWriteDeadline(began.Add(p.left)) // not every writer supports deadlines
	n, p.failed = p.w.Write(b)
	earned := time.Duration(n) * time.Second / minRate
	p.left = min(p.left-time.Since(began)+earned, maxStall)
	return n, p.failed
}

// done removes the deadline for the next response on the connection.
func (p *pacedWriter) done() { _ = p.control.SetWriteDeadline(time.Time{}) }

// rowWriter writes rows in one format.
type rowWriter[T any] struct {
	table table[T]
	csv   *csv.Writer   // nil: NDJSON
	json  *json.Encoder // one value on each line
	cells []string
}

func newRowWriter[T any](w io.Writer, f format, t table[T]) *rowWriter[T] {
	if f == formatCSV {
		out := csv.NewWriter(w)
		out.UseCRLF = true // RFC 4180 §2.1
		return &rowWriter[T]{table: t, csv: out}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return &rowWriter[T]{table: t, json: encoder}
}

func (w *rowWriter[T]) header() error {
	if w.csv == nil {
		return nil
	}
	return w.writeCells(w.table.columns)
}

func (w *rowWriter[T]) row(row T) error {
	if w.csv == nil {
		return w.json.Encode(row)
	}
	var err error
	if w.cells, err = w.table.cells(w.cells[:0], row); err != nil {
		return err
	}
	return w.writeCells(w.cells)
}

// writeCells flushes each line into the buffer below, which is the only one.
func (w *rowWriter[T]) writeCells(cells []string) error {
	if err := w.csv.Write(cells); err != nil {
		return err
	}
	w.csv.Flush()
	return w.csv.Error()
}
