package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/musterhq/muster/internal/inventory"
)

// ListParams are the parameters of every list of the estate.
type ListParams struct {
	Instant
	Paging
}

// Paging are the parameters of every list.
type Paging struct {
	Format    string `query:"format" enum:"json,csv,ndjson" doc:"json: one page; csv, ndjson: the whole list, or all after page_token. It goes before the Accept header."`
	PageSize  int    `query:"page_size" default:"100" minimum:"1" maximum:"1000" doc:"The number of items on a page."`
	PageToken string `query:"page_token" maxLength:"8192" doc:"The next_page_token of the page before."`
	Accept    string `header:"Accept" hidden:"true"`

	address url.URL
}

// Resolve keeps the address of the request, of which page tokens are made. huma calls it.
func (p *Paging) Resolve(ctx huma.Context) []error {
	p.address = ctx.URL()
	return nil
}

// PageOf is one page of a list.
type PageOf[T any] struct {
	Items         []T        `json:"items" nullable:"false" doc:"The items of the page, in the order of the list."`
	NextPageToken string     `json:"next_page_token,omitempty" doc:"Absent on the last page."`
	Cursor        string     `json:"cursor,omitempty" doc:"Only of changes: the page_token for those that come after, also on the last page; absent while there are none."`
	AsOf          *time.Time `json:"as_of,omitempty" doc:"As in the request."`
}

// listing is one list, ready to be read.
type listing[T any] struct {
	params *ListParams
	name   string // of a download
	feed   bool   // it grows at its end, and readers come back for more
	table  table[T]
	each   func(ctx context.Context, page inventory.Page, visit inventory.Visit[T]) error
}

// handleList registers an operation that answers with a list, in the format that the request asks for.
func handleList[I, T any](s *server, op huma.Operation, f func(context.Context, *I) (listing[T], error)) {
	op.Responses["200"] = listResponse[T](s)
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		l, err := f(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		asOf, err := s.asOf(ctx, l.params.Instant)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		page := inventory.Page{AsOf: asOf}
		if page.After, err = decodePageToken(l.params.address, l.params.PageToken); err != nil {
			return nil, s.problem(ctx, err)
		}
		if format := l.params.format(); format != formatJSON {
			return &huma.StreamResponse{Body: func(hctx huma.Context) { stream(s, hctx, l, page, format) }}, nil
		}
		answer, err := readPage(ctx, l, page)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(hctx huma.Context) { answer.write(hctx) }}, nil
	})
}

// readPage reads the page that the request asks for.
func readPage[T any](ctx context.Context, l listing[T], page inventory.Page) (PageOf[T], error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answer := PageOf[T]{AsOf: echo(page.AsOf)}
	size := l.params.PageSize
	page.Limit = size + 1 // the row after the page says that there is a next one
	answer.Items = make([]T, 0, min(size, 128))
	var last inventory.Position
	err := l.each(ctx, page, func(row T, at inventory.Position) error {
		if len(answer.Items) == size {
			return errPageFull
		}
		answer.Items, last = append(answer.Items, row), at
		return nil
	})
	if err != nil && !errors.Is(err, errPageFull) {
		return answer, err
	}
	token, tokenErr := l.after(last)
	if err != nil {
		answer.NextPageToken = token
	}
	if l.feed {
		answer.Cursor = token
	}
	return answer, tokenErr
}

// after is the token of what comes after the last row that was read, or else of what was asked for.
func (l listing[T]) after(last inventory.Position) (string, error) {
	if last == nil {
		return l.params.PageToken, nil
	}
	token, err := encodePageToken(l.params.address, last)
	if err != nil {
		return "", fmt.Errorf("encode page token: %w", err)
	}
	return token, nil
}

// errPageFull ends the reading of a page.
var errPageFull = errors.New("the page is full")

func (p PageOf[T]) write(ctx huma.Context) {
	if p.NextPageToken != "" {
		ctx.SetHeader("Link", nextLink(ctx.URL(), p.NextPageToken))
	}
	ctx.SetHeader("Content-Type", string(formatJSON))
	ctx.SetHeader("Vary", "Accept")
	_ = huma.DefaultJSONFormat.Marshal(ctx.BodyWriter(), p) // who does not listen gets no answer
}

// nextLink is the header of RFC 8288 for the next page.
func nextLink(address url.URL, token string) string {
	query := address.Query()
	query.Set("page_token", token)
	next := url.URL{Path: address.Path, RawQuery: query.Encode()}
	return "<" + next.String() + `>; rel="next"`
}

// listResponse describes a list in all its formats.
func listResponse[T any](s *server) *huma.Response {
	page := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[PageOf[T]](), true, "")
	text := func() *huma.MediaType { return &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}} }
	return &huma.Response{
		Description: http.StatusText(http.StatusOK),
		Headers: map[string]*huma.Header{
			"Link": {Description: `The next page, rel="next" (RFC 8288)`, Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Content: map[string]*huma.MediaType{
			string(formatJSON):   {Schema: page},
			string(formatCSV):    text(),
			string(formatNDJSON): text(),
		},
	}
}
