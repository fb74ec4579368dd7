package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// ListParams are the parameters of every list.
type ListParams struct {
	Instant

	Format    string `query:"format" enum:"json,csv,ndjson" doc:"json: one page; csv, ndjson: the whole list. Goes before the Accept header."`
	PageSize  int    `query:"page_size" default:"100" minimum:"1" maximum:"1000" doc:"The number of items on a page."`
	PageToken string `query:"page_token" maxLength:"8192" doc:"The next_page_token of the page before."`
	Accept    string `header:"Accept" hidden:"true"`

	address url.URL
}

// Resolve keeps the address of the request, of which page tokens are made. huma calls it.
func (p *ListParams) Resolve(ctx huma.Context) []error {
	p.address = ctx.URL()
	return nil
}

// PageOf is one page of a list.
type PageOf[T any] struct {
	Items         []T        `json:"items" nullable:"false"`
	NextPageToken string     `json:"next_page_token,omitempty" doc:"Absent on the last page."`
	AsOf          *time.Time `json:"as_of,omitempty" doc:"As in the request."`
}

// listing is one list, ready to be read.
type listing[T any] struct {
	params *ListParams
	name   string // of a download: letters, digits and hyphens
	table  table[T]
	each   func(ctx context.Context, page inventory.Page, visit inventory.Visit[T]) error
}

// handleList registers an operation that answers with a list, in the format that the request asks for.
func handleList[I, T any](s *server, op huma.Operation, f func(context.Context, *I) (listing[T], error)) {
	op.Responses["200"] = listResponse[T](s, op.OperationID)
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		l, err := f(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		asOf, err := s.asOf(l.params.Instant)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		page := inventory.Page{AsOf: asOf}
		switch format := l.params.format(); format {
		case formatJSON:
			return s.onePage(ctx, l.params, page, func(ctx context.Context, page inventory.Page) (any, inventory.Position, error) {
				return collect(ctx, l, page)
			})
		default:
			return s.wholeList(l.name, format, page, func(ctx context.Context, w rowWriter) error {
				return writeRows(ctx, l, page, w)
			}), nil
		}
	})
}

// onePage answers with a page of JSON, read by read.
func (s *server) onePage(
	ctx context.Context, params *ListParams, page inventory.Page,
	read func(context.Context, inventory.Page) (any, inventory.Position, error),
) (*huma.StreamResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var err error
	if page.After, err = decodePageToken(params.address, params.PageToken); err != nil {
		return nil, s.problem(ctx, err)
	}
	page.Limit = params.PageSize
	items, last, err := read(ctx, page)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	body := PageOf[any]{AsOf: echo(page.AsOf)}
	link := ""
	if last != nil {
		if body.NextPageToken, err = encodePageToken(params.address, last); err != nil {
			return nil, s.problem(ctx, fmt.Errorf("encode page token: %w", err))
		}
		link = nextLink(params.address, body.NextPageToken)
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		if link != "" {
			hctx.SetHeader("Link", link)
		}
		hctx.SetHeader("Content-Type", formatJSON.mediaType)
		hctx.SetHeader("Vary", "Accept")
		_ = huma.DefaultJSONFormat.Marshal(hctx.BodyWriter(), struct {
			Items any `json:"items"`
			PageOf[any]
		}{items, body})
	}}, nil
}

// errEnough ends the reading of a page.
var errEnough = errors.New("the page is full")

// collect reads a page's rows, and where the next page begins if there is one.
func collect[T any](ctx context.Context, l listing[T], page inventory.Page) ([]T, inventory.Position, error) {
	size := page.Limit
	page.Limit++ // the row after the page says that there is a next one
	items := make([]T, 0, min(size, 128))
	var last inventory.Position
	err := l.each(ctx, page, func(row T, at inventory.Position) error {
		if len(items) == size {
			return errEnough
		}
		items, last = append(items, row), at
		return nil
	})
	if errors.Is(err, errEnough) {
		return items, last, nil
	}
	return items, nil, err
}

// nextLink is the header of RFC 8288 for the next page.
func nextLink(address url.URL, token string) string {
	query := address.Query()
	query.Set("page_token", token)
	next := url.URL{Path: address.Path, RawQuery: query.Encode()}
	return "<" + next.String() + `>; rel="next"`
}

// listResponse describes a list in all its formats.
func listResponse[T any](s *server, id string) *huma.Response {
	registry := s.huma.OpenAPI().Components.Schemas
	page := registry.Schema(reflect.TypeFor[PageOf[T]](), true, id)
	text := func() *huma.MediaType { return &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}} }
	return &huma.Response{
		Description: http.StatusText(http.StatusOK),
		Headers: map[string]*huma.Header{
			"Link": {Description: `The next page, rel="next" (RFC 8288)`, Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Content: map[string]*huma.MediaType{
			formatJSON.mediaType:   {Schema: page},
			formatCSV.mediaType:    text(),
			formatNDJSON.mediaType: text(),
		},
	}
}

// rowCount is the number of rows as the trailer tells it.
func rowCount(n int) string { return strconv.Itoa(n) }
