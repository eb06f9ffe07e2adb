package lint

import (
	"fmt"
	"strings"

	"github.com/profcheck/profcheck/simulate"
)

// with names the arguments by which the filter tells this call from others of the same number, as
// far as they are known: " with family AF_VSOCK". It is empty where the answer does not depend on them.
func (c *call) with(d *demand) string {
	regions, err := c.abi.Answer(c.nr)
	if err != nil || uniform(regions) {
		return ""
	}
	params, _ := c.abi.Arch.Params(c.name)
	var parts []string
	for i := range judged(regions) {
		if len(d.args[i]) == 0 {
			continue
		}
		name := fmt.Sprintf("arg%d", i)
		if i < len(params) && params[i].Name != "" {
			name = params[i].Name
		}
		values := make([]string, len(d.args[i]))
		for k, v := range d.args[i] {
			values[k] = c.value(i, v)
		}
		parts = append(parts, name+" "+alternatives(values, 4))
	}
	if parts == nil {
		return ""
	}
	return " with " + strings.Join(parts, ", ")
}

// judged yields the indexes of the arguments that the regions have conditions on, ascending.
func judged(regions []simulate.Region) func(yield func(int) bool) {
	var on [6]bool
	for _, r := range regions {
		for _, c := range r.When {
			if i := c.Arg(); i >= 0 {
				on[i] = true
			}
		}
	}
	return func(yield func(int) bool) {
		for i, is := range on {
			if is && !yield(i) {
				return
			}
		}
	}
}

// alternatives joins words with "or", at most limit of them.
func alternatives(words []string, limit int) string {
	if len(words) > limit {
		return strings.Join(words[:limit], ", ") + fmt.Sprintf(" or %d more values", len(words)-limit)
	}
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
