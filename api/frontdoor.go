package api

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
)

// requestKey is the key of the request in contexts.
type requestKey struct{}

// request identifies a request in problems and in the log.
type request struct {
	id   string
	path string
}

// frontDoor wraps all routes. It assigns each request an id, sets the headers of every response,
// and answers requests without a route, and panics, with a problem.
func (s *server) frontDoor(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		about := request{id: uuid.NewString(), path: r.URL.Path}
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, about))
		h := w.Header()
		h.Set("X-Request-Id", about.id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		tracked := &trackedWriter{ResponseWriter: w}
		defer s.recoverPanic(tracked, r)
		if p := rejected(mux, tracked, r); p != nil {
			writeProblem(tracked, p)
			return
		}
		mux.ServeHTTP(tracked, r)
	})
}

// rejected returns a problem if no route matches the request, and nil otherwise.
func rejected(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) *Problem {
	if !utf8.ValidString(r.URL.Path) || hasNUL(r.URL.Path) {
		return newProblem(r.Context(), http.StatusBadRequest, "the path is not valid UTF-8 or contains a NUL character")
	}
	handler, pattern := mux.Handler(r)
	if pattern != "" {
		return nil
	}
	// The mux reports why it has no route only as a plain-text response.
	why := httptest.NewRecorder()
	handler.ServeHTTP(why, r)
	if why.Code == http.StatusMethodNotAllowed {
		allowed := why.Header().Get("Allow")
		w.Header().Set("Allow", allowed)
		return newProblem(r.Context(), why.Code, r.Method+" is not allowed on this path; allowed: "+allowed)
	}
	return newProblem(r.Context(), http.StatusNotFound, "the path does not exist; /api/docs lists all paths")
}

// recoverPanic answers a panic with a problem, or aborts the response if it has begun.
func (s *server) recoverPanic(w *trackedWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler { //nolint:errorlint,err113 // a panic's value is compared, not an error's chain
		panic(cause)
	}
	about, _ := r.Context().Value(requestKey{}).(request)
	s.Logger.ErrorContext(r.Context(), "request panicked", "request_id", about.id, "path", about.path, "panic", cause,
		"stack", string(debug.Stack()))
	if w.began {
		panic(http.ErrAbortHandler)
	}
	writeProblem(w, newProblem(r.Context(), http.StatusInternalServerError, internalDetail))
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	maps.Copy(w.Header(), p.headers)
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = huma.DefaultJSONFormat.Marshal(w, p) // the client may be gone
}

// trackedWriter records whether the response has begun.
type trackedWriter struct {
	http.ResponseWriter

	began bool
}

func (w *trackedWriter) WriteHeader(status int) {
	w.began = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *trackedWriter) Write(b []byte) (int, error) {
	w.began = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *trackedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
