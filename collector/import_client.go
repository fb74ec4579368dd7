package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/musterhq/muster/internal/inventory"
)

// importClient sends files to the REST API.
type importClient struct {
	http    *http.Client
	url     string // including the query
	token   string
	mapping []byte // nil: none
}

// rejectedError is the reason why the collector rejected a file. It may accept another file.
type rejectedError struct{ reason string }

func (r *rejectedError) Error() string { return r.reason }

// maxResponse is the largest response in bytes: a report about 200,000 rows.
const maxResponse = 256 << 20

// client creates the client from the flags.
func (c importCommand) client() (*importClient, error) {
	to := &importClient{}
	var err error
	if to.url, err = c.endpoint(); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("read API token: %w", err)
	}
	if to.token = strings.TrimSpace(string(text)); len(strings.Fields(to.token)) != 1 {
		return nil, fmt.Errorf("read API token: %s is not one word", c.TokenFile)
	}
	if c.Mapping != "" {
		if to.mapping, err = os.ReadFile(c.Mapping); err != nil {
			return nil, fmt.Errorf("read mapping: %w", err)
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented in net/http
	if c.CAFile != "" {
		if transport.TLSClientConfig, err = trusting(c.CAFile); err != nil {
			return nil, err
		}
	}
	// A redirect would turn the POST into a GET, so the response is returned instead.
	to.http = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	return to, nil
}

// endpoint returns the URL for imports.
func (c importCommand) endpoint() (string, error) {
	server, err := url.Parse(c.Server)
	if err != nil {
		return "", fmt.Errorf("read --server: %w", err)
	}
	if server.Scheme != "http" && server.Scheme != "https" || server.Host == "" {
		return "", fmt.Errorf("--server %s is not a URL such as http://127.0.0.1:8080", c.Server)
	}
	query := url.Values{"format": {c.Format}}
	if c.Name != "" {
		query.Set("name", c.Name)
	}
	if c.Encoding != "" {
		query.Set("encoding", c.Encoding)
	}
	if c.Reason != "" {
		query.Set("reason", c.Reason)
	}
	if c.DryRun {
		query.Set("dry_run", "true")
	}
	server = server.JoinPath("api", "v1", "imports")
	server.RawQuery = query.Encode()
	return server.String(), nil
}

// trusting returns a configuration that trusts only the certificates of a file.
func trusting(file string) (*tls.Config, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the caller named it
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("read certificates: %s has no PEM certificate", file)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}, nil
}

// send sends a file. It returns a rejectedError if only this file failed.
func (c *importClient) send(ctx context.Context, name string, file io.Reader) (inventory.ImportReport, error) {
	var report inventory.ImportReport
	body, contentType, err := c.body(name, file)
	if err != nil {
		return report, err
	}
	// The caller closes the file.
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, io.NopCloser(body))
	if err != nil {
		return report, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", contentType)
	response, err := c.http.Do(req)
	if err != nil {
		return report, fmt.Errorf("call API: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return report, fmt.Errorf("read response: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return report, errorOf(response, text)
	}
	if err := json.Unmarshal(text, &report); err != nil {
		return report, fmt.Errorf("decode response: %w", err)
	}
	return report, nil
}

// body returns the file, or a form with the mapping and the file (RFC 7578).
func (c *importClient) body(name string, file io.Reader) (body io.Reader, contentType string, err error) {
	if c.mapping == nil {
		return file, "application/octet-stream", nil
	}
	var around bytes.Buffer
	form := multipart.NewWriter(&around)
	part, err := form.CreateFormFile("mapping", "mapping.json")
	if err == nil {
		_, err = part.Write(c.mapping)
	}
	if err == nil {
		_, err = form.CreateFormFile("file", name)
	}
	before := around.Len()
	if err = errors.Join(err, form.Close()); err != nil {
		return nil, "", fmt.Errorf("make form: %w", err)
	}
	text := around.Bytes()
	whole := io.MultiReader(bytes.NewReader(text[:before]), file, bytes.NewReader(text[before:]))
	return whole, form.FormDataContentType(), nil
}

// errorOf converts a problem (RFC 9457) into an error. The status decides whether it is about the
// file alone.
func errorOf(response *http.Response, text []byte) error {
	var problem struct {
		Detail string `json:"detail"`
		Errors []struct {
			Pointer string `json:"pointer"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	reason := response.Status
	if json.Unmarshal(text, &problem) == nil && problem.Detail != "" {
		reason = problem.Detail
	}
	for _, e := range problem.Errors {
		if e.Message != problem.Detail {
			reason += "; " + strings.TrimPrefix(e.Pointer+": ", ": ") + e.Message
		}
	}
	switch response.StatusCode {
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
		http.StatusUnprocessableEntity:
		return &rejectedError{reason}
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("the API rejected the token: %s", reason)
	default:
		return fmt.Errorf("the API returned %s: %s", response.Status, reason)
	}
}
