package profiletest

import (
	"fmt"
	"slices"
)

// past looks for a way past an expectation that denies a call with some value of an argument: the
// filter sees 64 bits of a register, but the kernel's code for the call looks at the lower ones alone
// if the parameter is narrower, so that the same call can be made with other upper bits. It returns a
// sentence about such a call that is not denied, "" if there is none or it cannot be told.
func (l *loaded) past(e *expectation, c *calls, numbers []span[uint32]) string {
	if e.verb != verbDeny || c.name == "" || l.arch.Bits == 32 {
		return ""
	}
	params, _ := l.arch.Params(c.name)
	var conds []bound
	width, arg := 0, 0
	for _, cond := range c.conditions {
		b, err := cond.bind(l.arch, c.name)
		if err != nil {
			return ""
		}
		if b.arg < len(params) && params[b.arg].Bits > 0 && params[b.arg].Bits < 64 {
			low := uint64(1)<<params[b.arg].Bits - 1
			if b.mask == registers(l.arch) && !slices.ContainsFunc(b.spans, func(s span[uint64]) bool { return s.to > low }) {
				b.mask = low
				if width == 0 {
					width, arg = params[b.arg].Bits, b.arg
				}
			}
		}
		conds = append(conds, b)
	}
	if width == 0 {
		return ""
	}
	answers, err := l.answers(l.arch, int32(numbers[0].from), conds)
	if err != nil {
		return ""
	}
	for _, a := range answers {
		if verbOf(a.action) != verbDeny {
			found := Case{Syscall: c.name, Call: a.witness, To: a.witness.Nr}
			return fmt.Sprintf("the kernel looks at %d bits of arg%d alone, and the answer to %s is %s", width, arg, found.call(), Answer(a.action))
		}
	}
	return ""
}
