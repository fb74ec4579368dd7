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

// request is what problems and the log say of a request.
type request struct {
	id   string
	path string
}

// frontDoor is what every request passes: it gets an id, nothing of it is cached or sniffed, what no route takes
// is a problem, and so is a panic.
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
		if p := refused(mux, tracked, r); p != nil {
			writeProblem(tracked, p)
			return
		}
		mux.ServeHTTP(tracked, r)
	})
}

// refused says why a request reaches no route.
func refused(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) *Problem {
	if !utf8.ValidString(r.URL.Path) || hasNUL(r.URL.Path) {
		return newProblem(r.Context(), http.StatusBadRequest, "the path is not valid text")
	}
	handler, pattern := mux.Handler(r)
	if pattern != "" {
		return nil
	}
	// The mux knows why it has no route; it says so only in plain text.
	why := httptest.NewRecorder()
	handler.ServeHTTP(why, r)
	if why.Code == http.StatusMethodNotAllowed {
		allowed := why.Header().Get("Allow")
		w.Header().Set("Allow", allowed)
		return newProblem(r.Context(), why.Code, "this path takes "+allowed)
	}
	return newProblem(r.Context(), http.StatusNotFound, "there is no such path; see /api/docs")
}

// recoverPanic answers with a problem while that is possible, and cuts the answer off where it has begun.
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
	writeProblem(w, newProblem(r.Context(), http.StatusInternalServerError, "the operator finds the cause in the log"))
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	maps.Copy(w.Header(), p.headers)
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = huma.DefaultJSONFormat.Marshal(w, p) // who does not listen gets no answer
}

// trackedWriter knows whether the answer has begun.
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
