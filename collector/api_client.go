package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// apiFlags are the flags of commands that call a collector's REST API.
type apiFlags struct {
	Server    string `default:"http://127.0.0.1:8080" env:"MUSTER_SERVER" help:"URL of the collector's REST API."`
	TokenFile string `required:"" type:"path" placeholder:"FILE" help:"File with an API token, such as admin.token in the collector's data directory."`
	CAFile    string `name:"ca-file" type:"path" placeholder:"FILE" help:"File with the CA certificates (PEM) to trust if the API uses TLS. Default: those of the system."`
}

// apiClient calls a collector's REST API.
type apiClient struct {
	http  *http.Client
	base  *url.URL
	token string
}

// rejectedError is the reason why the collector rejected a file. It may accept another file.
type rejectedError struct{ reason string }

func (r *rejectedError) Error() string { return r.reason }

// maxResponse is the largest response in bytes: a report about 200,000 rows.
const maxResponse = 256 << 20

// client creates the client from the flags.
func (c apiFlags) client() (*apiClient, error) {
	to := &apiClient{}
	var err error
	if to.base, err = url.Parse(c.Server); err != nil {
		return nil, fmt.Errorf("read --server: %w", err)
	}
	if to.base.Scheme != "http" && to.base.Scheme != "https" || to.base.Host == "" {
		return nil, fmt.Errorf("--server %s is not a URL such as http://127.0.0.1:8080", c.Server)
	}
	text, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("read API token: %w", err)
	}
	if to.token = strings.TrimSpace(string(text)); len(strings.Fields(to.token)) != 1 {
		return nil, fmt.Errorf("read API token: %s is not one word", c.TokenFile)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented in net/http
	if c.CAFile != "" {
		if transport.TLSClientConfig, err = trusting(c.CAFile); err != nil {
			return nil, err
		}
	}
	// A redirect would turn a POST into a GET, so the response is returned instead.
	to.http = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	return to, nil
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

// endpoint returns the URL of a path below /api/v1, which may have a query.
func (c *apiClient) endpoint(path string) string {
	path, query, _ := strings.Cut(path, "?")
	to := c.base.JoinPath("api", "v1", path)
	to.RawQuery = query
	return to.String()
}

// call sends a JSON body, nil for none, and decodes the response.
func (c *apiClient) call(ctx context.Context, method, path string, body io.Reader, response any) error {
	return c.exchange(ctx, method, c.endpoint(path), "application/json", body, response)
}

// exchange sends a body and decodes the response. It returns a rejectedError if only this request
// failed.
func (c *apiClient) exchange(
	ctx context.Context, method, to, contentType string, body io.Reader, response any,
) error {
	req, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("call API: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxResponse))
	if err != nil {
		return fmt.Errorf("read response: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return errorOf(answer, text)
	}
	if err := json.Unmarshal(text, response); err != nil {
		return fmt.Errorf("decode response: %w", err)
	}
	return nil
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
