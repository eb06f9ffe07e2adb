package profiletest

import (
	"fmt"

	"github.com/profcheck/profcheck/syscalls"
)

// An Option says under which circumstances a profile is asked. Without options they are those that
// the profile is written for: the runtime by its format, with the capabilities that it gives by
// default, the newest kernel, and all architectures that the profile names.
type Option func(*circumstances) error

// Target says who enforces the profile: "docker", "runc", ... Several are asked one after the other.
func Target(words ...string) Option {
	return each("target", words, func(c *circumstances, word string) error { return c.addTarget(word, 0, 0) })
}

// Arch says for which ABIs it is asked, by any of their names: "x86_64", "arm64".
func Arch(words ...string) Option {
	return each("arch", words, func(c *circumstances, word string) error { return c.addArch(word, 0, 0) })
}

// Cap adds capabilities to those that the container has by default: "SYS_ADMIN". The words none and
// all take the place of the default.
func Cap(words ...string) Option {
	return each("cap", words, func(c *circumstances, word string) error { return c.addCap(word, 0, 0) })
}

// Kernel gives the kernel of the host: "5.10".
func Kernel(word string) Option {
	return each("kernel", []string{word}, (*circumstances).setKernel)
}

func each(what string, words []string, add func(*circumstances, string) error) Option {
	return func(c *circumstances) error {
		for _, word := range words {
			if err := add(c, word); err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
		}
		return nil
	}
}

// vectors asks about every row of a table.
func (s *subject) vectors(table string, rows []Vector, options []Option) (*Result, error) {
	f := &File{Name: table, Profile: s.name}
	for _, o := range options {
		if err := o(&f.circumstances); err != nil {
			return nil, err
		}
	}
	r := newRunner(f, s)
	for _, v := range rows {
		e := &expectation{circumstances: circumstances{arches: []place[*syscalls.Arch]{{value: v.Arch}}}, line: v.Line, column: 1}
		where, err := r.settings(e)
		if err != nil {
			return nil, err
		}
		failure := &Failure{Line: v.Line, Column: 1, Expected: v.text()}
		for _, set := range where.settings {
			l, err := s.load(set)
			if err != nil {
				return nil, &VectorError{table, v.Line, 1, err.Error()}
			}
			if got, ok := v.Check(l.program); !ok {
				failure.add(l.explain(answer{action: got, witness: v.Data, to: uint32(v.Data.Nr)}))
			}
			l.traced(&v.Data)
			if l.resolved != nil {
				r.decides(l.decider(&v.Data))
			}
		}
		if len(failure.Cases) == 0 {
			r.result.Passed++
			continue
		}
		r.result.Failed++
		r.result.Failures = append(r.result.Failures, *failure)
	}
	return r.finish(), nil
}

// text says what a row expects.
func (v Vector) text() string {
	c := Case{Syscall: v.Syscall, Call: v.Data, To: v.Data.Nr}
	return Answer(v.Expect) + " for " + c.call()
}
