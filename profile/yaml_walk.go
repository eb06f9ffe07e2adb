package profile

import (
	"math/big"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The methods in this file make a yamlTree a tree: YAML as the programs read it that turn it into
// JSON, with YAML 1.1's merge keys and its numbers.

func (t *yamlTree) pos(v value) Pos {
	n := t.nodes[v].Node
	return t.file.pos(t.first+n.Line, n.Column)
}

func (t *yamlTree) kind(v value) string {
	n := t.nodes[v]
	switch n.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "an array"
	}
	switch n.ShortTag() {
	case "!!null":
		return "null"
	case "!!bool":
		return "a boolean"
	case "!!int", "!!float":
		return "a number"
	}
	return "a string"
}

func (t *yamlTree) isNull(v value) bool { return t.kind(v) == "null" }

func (t *yamlTree) text(v value) string { return t.nodes[v].Value }

func (t *yamlTree) truth(v value) bool { return strings.EqualFold(t.nodes[v].Value, "true") }

// number writes whole numbers in decimal; others are as in the text.
func (t *yamlTree) number(v value) string {
	text := t.nodes[v].Value
	if t.nodes[v].ShortTag() != "!!int" {
		return text
	}
	// A number that the library takes for one has at most 64 bits, or is in decimal.
	if n, ok := new(big.Int).SetString(strings.ReplaceAll(text, "_", ""), 0); ok && len(text) < 128 {
		return n.String()
	}
	return text
}

func (t *yamlTree) elements(v value, f func(i int, val value) error) error {
	for i, kid := range t.nodes[v].kids {
		if err := f(i, kid); err != nil {
			return err
		}
	}
	return nil
}

// members calls f for the members of a mapping, and then for those of its merge keys that it has not itself.
func (t *yamlTree) members(v value, f func(key, val value) error) error {
	merges := false
	kids := t.nodes[v].kids
	for i := 0; i+1 < len(kids); i += 2 {
		if t.isMerge(kids[i]) {
			merges = true
		} else if err := f(kids[i], kids[i+1]); err != nil {
			return err
		}
	}
	if !merges {
		return nil
	}
	seen := map[string]bool{}
	return t.merged(v, 0, seen, f)
}

// merged visits a mapping and what it merges; at depth 0 its own members were visited before.
func (t *yamlTree) merged(v value, depth int, seen map[string]bool, f func(key, val value) error) error {
	kids := t.nodes[v].kids
	for i := 0; i+1 < len(kids); i += 2 {
		word := t.text(kids[i])
		if t.isMerge(kids[i]) || seen[word] {
			continue
		}
		seen[word] = true
		if depth > 0 {
			if err := f(kids[i], kids[i+1]); err != nil {
				return err
			}
		}
	}
	for i := 0; i+1 < len(kids); i += 2 {
		if !t.isMerge(kids[i]) {
			continue
		}
		from := []value{kids[i+1]}
		if t.kind(kids[i+1]) == "an array" {
			from = t.nodes[kids[i+1]].kids
		}
		for _, m := range from {
			if t.kind(m) != "an object" {
				continue
			}
			if err := t.merged(m, depth+1, seen, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// isMerge recognises the key << of YAML 1.1.
func (t *yamlTree) isMerge(key value) bool { return t.nodes[key].ShortTag() == "!!merge" }
