package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"

	"github.com/musterhq/muster/internal/inventory"
)

// importClient sends files to the REST API.
type importClient struct {
	*apiClient

	url     string // including the query
	mapping []byte // nil: none
}

// client creates the client from the flags.
func (c importCommand) client() (*importClient, error) {
	api, err := c.apiFlags.client()
	if err != nil {
		return nil, err
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
	to := &importClient{apiClient: api, url: api.endpoint("imports?" + query.Encode())}
	if c.Mapping != "" {
		if to.mapping, err = os.ReadFile(c.Mapping); err != nil {
			return nil, fmt.Errorf("read mapping: %w", err)
		}
	}
	return to, nil
}

// send sends a file. It returns a rejectedError if only this file failed.
func (c *importClient) send(ctx context.Context, name string, file io.Reader) (inventory.ImportReport, error) {
	var report inventory.ImportReport
	body, contentType, err := c.body(name, file)
	if err != nil {
		return report, err
	}
	// The caller closes the file.
	err = c.exchange(ctx, http.MethodPost, c.url, contentType, io.NopCloser(body), &report)
	return report, err
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
