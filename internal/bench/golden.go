package main

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/musterhq/muster/internal/wire"
)

// golden is the image of the machines of the fleet: a real inventory, by section.
type golden map[string][]proto.Message

// readGolden reads the output of `muster-agent inventory --output json`.
func readGolden(document []byte) (golden, error) {
	var doc struct {
		Sections map[string]struct {
			Items []json.RawMessage `json:"items"`
		} `json:"sections"`
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		return nil, fmt.Errorf("read inventory: %w", err)
	}
	image := golden{}
	for name, content := range doc.Sections {
		section, ok := wire.Lookup(name)
		if !ok {
			continue
		}
		for _, text := range content.Items {
			item := section.New().Interface()
			if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, item); err != nil {
				return nil, fmt.Errorf("read inventory: %s: %w", name, err)
			}
			image[name] = append(image[name], item)
		}
	}
	return image, nil
}
