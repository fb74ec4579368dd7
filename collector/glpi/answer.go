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

// answer is what an agent is told, in its own protocol.
type answer struct {
	responseWriter http.ResponseWriter
	header         http.Header
	json           bool    // it speaks JSON, whatever this message is in
	packing        packing // of its message
}

// requestID is what a GLPI agent that is being debugged gives a request.
var requestID = regexp.MustCompile(`^[0-9A-F]{8}$`)

// newAnswer begins an answer. A GLPI agent says who it is in a header; it does so even with its first message, which is in
// XML because it does not know yet whom it talks to.
func newAnswer(w http.ResponseWriter, r *http.Request) *answer {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if id := r.Header.Get("GLPI-Request-ID"); requestID.MatchString(id) {
		h.Set("GLPI-Request-ID", id)
	}
	return &answer{responseWriter: w, header: h, json: r.Header.Get("GLPI-Agent-ID") != ""}
}

// glpiVersion is the server that GLPI agents are told they talk to: what newer ones than that want to know, they leave out.
const glpiVersion = "10.0.19"

// inventoryTask is the one thing that agents are asked for.
const inventoryTask = "inventory"

// reply is an answer to a GLPI agent.
type reply struct {
	Status     string          `json:"status"` // "ok" or "error"
	Message    string          `json:"message,omitempty"`
	Expiration int             `json:"expiration,omitempty"` // when to come again, in hours
	Tasks      map[string]task `json:"tasks,omitempty"`
	Disabled   []string        `json:"disabled,omitempty"` // tasks that are not to be done
}

type task struct {
	Server  string `json:"server"`
	Version string `json:"version"`
}

// invite asks an agent for its inventory, and for nothing else of what it could do.
func (a *answer) invite(hours int, could []string) {
	if !a.json {
		a.sendXML(fmt.Sprintf("<RESPONSE>SEND</RESPONSE><PROLOG_FREQ>%d</PROLOG_FREQ>", hours))
		return
	}
	a.sendJSON(reply{
		Status: "ok", Expiration: hours,
		Tasks:    map[string]task{inventoryTask: {Server: "glpi", Version: glpiVersion}},
		Disabled: slices.DeleteFunc(slices.Clone(could), func(name string) bool { return name == inventoryTask }),
	})
}

// thank says that an inventory was taken in.
func (a *answer) thank(hours int) {
	if !a.json {
		a.sendXML("")
		return
	}
	a.sendJSON(reply{Status: "ok", Expiration: hours})
}

// refuse says what is wrong. It is not compressed: GLPI agents show the text only if it is not.
func (a *answer) refuse(status int, why string) {
	a.header.Set("Content-Type", "text/plain; charset=utf-8")
	text := []byte(why + "\n")
	if a.json {
		a.header.Set("Content-Type", "application/json")
		text = encode(reply{Status: "error", Message: why})
	}
	a.responseWriter.WriteHeader(status)
	_, _ = a.responseWriter.Write(text) // who does not listen gets no answer
}

func (a *answer) sendXML(content string) {
	a.send("application/xml", []byte(`<?xml version="1.0" encoding="UTF-8"?>`+"\n<REPLY>"+content+"</REPLY>\n"))
}

func (a *answer) sendJSON(r reply) { a.send("application/json", encode(r)) }

func encode(r reply) []byte {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // there is nothing in it that JSON cannot hold
	}
	return text
}

// send compresses an answer as the message was.
func (a *answer) send(contentType string, text []byte) {
	if a.packing != packedNot {
		contentType = string(a.packing)
	}
	a.header.Set("Content-Type", contentType)
	_, _ = a.responseWriter.Write(pack(text, a.packing)) // who does not listen gets no answer
}

// pack compresses with the default level: agents know zlib by the two bytes 78 9c, which only that one begins with.
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
