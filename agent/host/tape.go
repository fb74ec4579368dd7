package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"syscall"
	"time"
)

// tape holds the answers of a host. While it records, it asks its source what it does not know.
// Sections that exceeded their deadline may use it concurrently with the next ones.
type tape struct {
	dir    *os.Root
	header header
	source *Host // nil in a replay

	mutex   sync.Mutex
	names   map[string]*nameRecord
	calls   map[string]*callRecord
	left    int64 // bytes that the recording may still take
	omitted []string
	closed  bool
}

func newTape(dir *os.Root, h header) *tape {
	return &tape{dir: dir, header: h, names: map[string]*nameRecord{}, calls: map[string]*callRecord{}}
}

// nameRecord is what is known about a name. A question that was not asked is nil.
type nameRecord struct {
	Name    string                 `json:"name"`
	Stat    *answer[*infoRecord]   `json:"stat,omitempty"`
	Lstat   *answer[*infoRecord]   `json:"lstat,omitempty"`
	Target  *answer[string]        `json:"target,omitempty"`
	Entries *answer[[]entryRecord] `json:"entries,omitempty"`
	Content *answer[contentRecord] `json:"content,omitempty"`
}

// callRecord is the answer to a question that is not about a file.
type callRecord struct {
	Call     string          `json:"call"`
	Argument string          `json:"argument,omitempty"`
	Value    json.RawMessage `json:"value,omitempty"`
	Error    *recordedError  `json:"error,omitempty"`
}

func (c callRecord) key() string { return c.Call + "\x00" + c.Argument }

// answer is a value, an error, or a part of the value with an error.
type answer[T any] struct {
	Value T              `json:"value,omitempty"`
	Error *recordedError `json:"error,omitempty"`
}

func newAnswer[T any](value T, err error) *answer[T] {
	return &answer[T]{Value: value, Error: newError(err)}
}

func (a *answer[T]) result() (T, error) {
	if a.Error == nil { // a nil pointer in an error is not a nil error
		return a.Value, nil
	}
	return a.Value, a.Error
}

// contentRecord describes the content of a file, which is itself below contentDir.
type contentRecord struct {
	Bytes int64 `json:"bytes"`
	More  bool  `json:"more,omitempty"` // the file continues; nobody read further
}

// entryRecord is an entry of a directory.
type entryRecord struct {
	Name string      `json:"name"`
	Type fs.FileMode `json:"type,omitempty"` // 0: a regular file
}

// infoRecord is a recorded fs.FileInfo.
type infoRecord struct {
	Base     string      `json:"name"`
	FileMode fs.FileMode `json:"mode"`
	Bytes    int64       `json:"size"`
	Modified time.Time   `json:"modified"`
}

func newInfo(info fs.FileInfo) *infoRecord {
	if info == nil {
		return nil
	}
	return &infoRecord{Base: info.Name(), FileMode: info.Mode(), Bytes: info.Size(), Modified: info.ModTime().UTC()}
}

// Name is a method of fs.FileInfo, as those that follow.
func (i *infoRecord) Name() string       { return i.Base }
func (i *infoRecord) Size() int64        { return i.Bytes }
func (i *infoRecord) Mode() fs.FileMode  { return i.FileMode }
func (i *infoRecord) ModTime() time.Time { return i.Modified }
func (i *infoRecord) IsDir() bool        { return i.FileMode.IsDir() }
func (i *infoRecord) Sys() any           { return nil }

// SameFile reports whether two results of Stat describe the same file, as os.SameFile does. In a
// recording each name is a file of its own.
func SameFile(a, b fs.FileInfo) bool {
	if recorded, ok := a.(*infoRecord); ok {
		return recorded == b
	}
	return os.SameFile(a, b)
}

// recordedError is an error with its text and what callers test for.
type recordedError struct {
	Text string `json:"text"`
	Kind string `json:"kind,omitempty"`
}

func (e *recordedError) Error() string { return e.Text }

// Unwrap returns the error that callers test for.
func (e *recordedError) Unwrap() error { return errorKinds[e.Kind] }

// errorKinds are the errors that the sections distinguish.
var errorKinds = map[string]error{
	"does not exist": fs.ErrNotExist,
	"denied":         fs.ErrPermission,
	"unsupported":    ErrUnsupported,
	"timeout":        context.DeadlineExceeded,
	"no process":     syscall.ESRCH,
}

func newError(err error) *recordedError {
	if err == nil {
		return nil
	}
	recorded := &recordedError{Text: string(scrub([]byte(err.Error())))}
	for kind, target := range errorKinds {
		if errors.Is(err, target) {
			recorded.Kind = kind
		}
	}
	return recorded
}

// ask returns the answer of the system to a question that is not about a file: recorded, or by
// calling live. A tree has no such answers. The value must survive encoding as JSON.
func ask[T any](h *Host, call, argument string, live func() (T, error)) (T, error) {
	var none T
	if h.tape == nil {
		if !h.Live() {
			return none, fmt.Errorf("%s in a tree: %w", call, ErrUnsupported)
		}
		return live()
	}
	record := h.tape.call(callRecord{Call: call, Argument: argument}, func() (any, error) {
		return ask(h.tape.source, call, argument, live)
	})
	if record == nil {
		return none, fmt.Errorf("not in the recording: %s: %w", call, ErrUnsupported)
	}
	var value T
	if len(record.Value) > 0 {
		if err := json.Unmarshal(record.Value, &value); err != nil {
			return none, fmt.Errorf("recorded %s: %w", call, err)
		}
	}
	if record.Error != nil {
		return value, record.Error
	}
	return value, nil
}

// call returns the recorded answer to a question. If there is none, it asks the source and records
// the answer; without a source it returns nil.
func (t *tape) call(question callRecord, source func() (any, error)) *callRecord {
	t.mutex.Lock()
	known := t.calls[question.key()]
	t.mutex.Unlock()
	if known != nil || t.source == nil {
		return known
	}
	value, err := source()
	question.Error = newError(err)
	if encoded, err := json.Marshal(value); err != nil {
		question.Error = newError(err)
	} else if encoded = scrub(encoded); json.Valid(encoded) {
		question.Value = encoded
	} else { // the replacement of a secret reached beyond a string
		question.Error = newError(errors.New("left out of the recording: it contains secrets"))
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if known := t.calls[question.key()]; known != nil {
		return known
	}
	t.left -= int64(len(question.Value))
	t.calls[question.key()] = &question
	return &question
}

// lookUp returns the recorded answer about a name or asks the source and records its answer. field
// selects the answer of a record.
func lookUp[T any](t *tape, op, name string, field func(*nameRecord) **answer[T], source func() (T, error)) (T, error) {
	name = path.Clean("/" + name)
	t.mutex.Lock()
	record := t.names[name]
	t.mutex.Unlock()
	if record != nil {
		t.mutex.Lock()
		known := *field(record)
		t.mutex.Unlock()
		if known != nil {
			return known.result()
		}
	}
	if t.source == nil {
		var none T
		return none, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	found := newAnswer(source())
	t.mutex.Lock()
	defer t.mutex.Unlock()
	slot := field(t.record(name))
	if *slot == nil {
		*slot = found
	}
	return (*slot).result()
}

// record returns the record of a name. The caller holds the lock.
func (t *tape) record(name string) *nameRecord {
	record := t.names[name]
	if record == nil {
		record = &nameRecord{Name: name}
		t.names[name] = record
	}
	return record
}

func (t *tape) stat(name string) (fs.FileInfo, error) {
	info, err := lookUp(t, "stat", name, func(r *nameRecord) **answer[*infoRecord] { return &r.Stat },
		func() (*infoRecord, error) {
			info, err := t.source.Stat(name)
			return newInfo(info), err
		})
	return info.orNil(), err
}

func (t *tape) lstat(name string) (fs.FileInfo, error) {
	info, err := lookUp(t, "lstat", name, func(r *nameRecord) **answer[*infoRecord] { return &r.Lstat },
		func() (*infoRecord, error) {
			info, err := t.source.Lstat(name)
			return newInfo(info), err
		})
	return info.orNil(), err
}

// orNil avoids an interface that contains a nil pointer.
func (i *infoRecord) orNil() fs.FileInfo {
	if i == nil {
		return nil
	}
	return i
}

func (t *tape) readlink(name string) (string, error) {
	return lookUp(t, "readlink", name, func(r *nameRecord) **answer[string] { return &r.Target },
		func() (string, error) { return t.source.Readlink(name) })
}

func (t *tape) readDir(name string) ([]fs.DirEntry, error) {
	records, err := lookUp(t, "open", name, func(r *nameRecord) **answer[[]entryRecord] { return &r.Entries },
		func() ([]entryRecord, error) {
			entries, err := t.source.ReadDir(name)
			return entryRecords(entries), err
		})
	return t.entries(name, records), err
}

func entryRecords(entries []fs.DirEntry) []entryRecord {
	records := make([]entryRecord, len(entries))
	for i, e := range entries {
		records[i] = entryRecord{Name: e.Name(), Type: e.Type()}
	}
	return records
}

// entries returns the recorded entries of a directory.
func (t *tape) entries(dir string, records []entryRecord) []fs.DirEntry {
	entries := make([]fs.DirEntry, len(records))
	for i, r := range records {
		entries[i] = tapeEntry{tape: t, dir: dir, record: r}
	}
	return entries
}

// tapeEntry is an fs.DirEntry whose Info is on the tape.
type tapeEntry struct {
	tape   *tape
	dir    string
	record entryRecord
}

// Name is a method of fs.DirEntry, as those that follow.
func (e tapeEntry) Name() string               { return e.record.Name }
func (e tapeEntry) IsDir() bool                { return e.record.Type.IsDir() }
func (e tapeEntry) Type() fs.FileMode          { return e.record.Type }
func (e tapeEntry) Info() (fs.FileInfo, error) { return e.tape.lstat(path.Join(e.dir, e.record.Name)) }

// open opens the recorded content of a file. The content of a pipe or a device is recorded, too, if
// it ends.
func (t *tape) open(name string) (*os.File, error) {
	if _, err := t.content(name, maxRecording, t.source.readLimited); err != nil {
		return nil, err
	}
	return t.dir.Open(contentName(name))
}

// read returns the first limit bytes of a file.
func (t *tape) read(name string, limit int64, source readFunc) ([]byte, error) {
	content, err := t.content(name, limit, source)
	if content.Bytes == 0 { // as for a file that cannot be read
		return nil, err
	}
	f, openErr := t.dir.Open(contentName(name))
	if openErr != nil {
		return nil, openErr
	}
	defer func() { _ = f.Close() }()
	data, readErr := io.ReadAll(io.LimitReader(f, limit))
	return data, errors.Join(err, readErr)
}

// readFunc reads the first limit bytes of a file; nil data with no error is an empty file.
type readFunc func(name string, limit int64) ([]byte, error)

// content records the first limit bytes of a file unless they are already recorded.
func (t *tape) content(name string, limit int64, source readFunc) (contentRecord, error) {
	ownName := name // for the source: on Windows it begins with a drive
	name = path.Clean("/" + name)
	t.mutex.Lock()
	if record := t.names[name]; record != nil && record.Content != nil {
		if known := record.Content; t.source == nil || !known.Value.More || known.Value.Bytes >= limit {
			t.mutex.Unlock()
			return known.result()
		}
	}
	left := t.left
	t.mutex.Unlock()
	if t.source == nil {
		return contentRecord{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	data, err := source(ownName, min(limit, left+1))
	data = scrub(data)
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.keep(name, limit, data, err)
}

// keep writes the content of a file. The caller holds the lock.
func (t *tape) keep(name string, limit int64, data []byte, err error) (contentRecord, error) {
	size := int64(len(data))
	switch {
	case t.closed:
		return contentRecord{}, fs.ErrClosed
	case size > t.left:
		t.omitted = append(t.omitted, name)
		data, size, err = nil, 0, fmt.Errorf("%s: left out, the recording is full", name)
	}
	content := newAnswer(contentRecord{Bytes: size, More: size == limit}, err)
	if err == nil || size > 0 {
		if err := t.write(name, data); err != nil {
			return contentRecord{}, err
		}
		t.left -= size
	}
	t.record(name).Content = content
	return content.result()
}

func (t *tape) write(name string, data []byte) error {
	file := contentName(name)
	if err := t.dir.MkdirAll(path.Dir(file), 0o700); err != nil {
		return err
	}
	return t.dir.WriteFile(file, data, 0o600)
}
