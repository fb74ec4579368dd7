package glpi

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
)

// answer writes the response to an agent in its protocol.
type answer struct {
	responseWriter http.ResponseWriter
	header         http.Header
	json           bool    // the agent understands JSON, even if its message is XML
	packing        packing // of the agent's message
}

// requestID matches the id of a request, which a GLPI agent sends in debug mode.
var requestID = regexp.MustCompile(`^[0-9A-F]{8}$`)

// newAnswer starts a response. A GLPI agent identifies itself in a header, even with its first
// message, which is XML because the agent does not know its server yet.
func newAnswer(w http.ResponseWriter, r *http.Request) *answer {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if id := r.Header.Get("GLPI-Request-ID"); requestID.MatchString(id) {
		h.Set("GLPI-Request-ID", id)
	}
	return &answer{responseWriter: w, header: h, json: r.Header.Get("GLPI-Agent-ID") != ""}
}

// glpiVersion is the version of GLPI that the endpoint reports. Agents omit data that only later
// versions accept.
const glpiVersion = "10.0.19"

// inventoryTask is the only task that agents get.
const inventoryTask = "inventory"

// reply is a response to a GLPI agent.
type reply struct {
	Status     string          `json:"status"` // "ok" or "error"
	Message    string          `json:"message,omitempty"`
	Expiration int             `json:"expiration,omitempty"` // hours until the next report
	Tasks      map[string]task `json:"tasks,omitempty"`
	Disabled   []string        `json:"disabled,omitempty"` // tasks that the agent must not run
}

type task struct {
	Server  string `json:"server"`
	Version string `json:"version"`
}

// requestInventory requests an inventory and disables all other tasks.
func (a *answer) requestInventory(hours int, tasks []string) {
	if !a.json {
		a.sendXML(fmt.Sprintf("<RESPONSE>SEND</RESPONSE><PROLOG_FREQ>%d</PROLOG_FREQ>", hours))
		return
	}
	a.sendJSON(reply{
		Status: "ok", Expiration: hours,
		Tasks:    map[string]task{inventoryTask: {Server: "glpi", Version: glpiVersion}},
		Disabled: slices.DeleteFunc(slices.Clone(tasks), func(name string) bool { return name == inventoryTask }),
	})
}

// accept confirms an inventory.
func (a *answer) accept(hours int) {
	if !a.json {
		a.sendXML("")
		return
	}
	a.sendJSON(reply{Status: "ok", Expiration: hours})
}

// reject sends an error. It is not compressed, because GLPI agents log the text only of
// uncompressed responses.
func (a *answer) reject(status int, why string) {
	a.header.Set("Content-Type", "text/plain; charset=utf-8")
	text := []byte(why + "\n")
	if a.json {
		a.header.Set("Content-Type", "application/json")
		text = encode(reply{Status: "error", Message: why})
	}
	a.responseWriter.WriteHeader(status)
	_, _ = a.responseWriter.Write(text) // the agent may have disconnected
}

func (a *answer) sendXML(content string) {
	a.send("application/xml", []byte(`<?xml version="1.0" encoding="UTF-8"?>`+"\n<REPLY>"+content+"</REPLY>\n"))
}

func (a *answer) sendJSON(r reply) { a.send("application/json", encode(r)) }

func encode(r reply) []byte {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // reply has only types that JSON can represent
	}
	return text
}

// send compresses a response like the agent's message.
func (a *answer) send(contentType string, text []byte) {
	if a.packing != packedNot {
		contentType = string(a.packing)
	}
	a.header.Set("Content-Type", contentType)
	_, _ = a.responseWriter.Write(pack(text, a.packing)) // the agent may have disconnected
}

// pack compresses with the default level: agents recognize zlib by the bytes 78 9c, which only this
// level writes.
func pack(text []byte, p packing) []byte {
	var packed bytes.Buffer
	var w io.WriteCloser
	switch p {
	case packedZlib:
		w = zlib.NewWriter(&packed)
	case packedGzip:
		w = gzip.NewWriter(&packed)
	default:
		return text
	}
	_, _ = w.Write(text) // to memory
	_ = w.Close()
	return packed.Bytes()
}
