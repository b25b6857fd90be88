package posewire

import (
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// fieldsOf returns the values of a mapping by key. Other keys are an error.
func fieldsOf(node *yaml.Node, keys ...string) (map[string]*yaml.Node, error) {
	fields := map[string]*yaml.Node{}
	for i := 0; i < len(node.Content); i += 2 {
		key := node.Content[i].Value
		if !slices.Contains(keys, key) {
			return nil, fmt.Errorf("unknown key %q; expected one of %v", key, keys)
		}
		fields[key] = node.Content[i+1]
	}
	return fields, nil
}

func decoded[T any](node *yaml.Node) T {
	var value T
	if node == nil {
		return value
	}
	if err := node.Decode(&value); err != nil {
		panic(err)
	}
	return value
}

func text(node *yaml.Node) string { return decoded[string](node) }

func isNull(node *yaml.Node) bool { return node.Tag == "!!null" }

// secs rounds to microseconds, because sums of decimal fractions of a second are not exact.
func secs(node *yaml.Node) time.Duration {
	return time.Duration(decoded[float64](node) * float64(time.Second)).Round(time.Microsecond)
}
