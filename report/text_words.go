package report

import (
	"fmt"
	"path"
	"strings"
)

// count renders a number with its noun: "1 error", "3 errors".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// words joins as a sentence does: "a, b and c".
func words(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// Programs names binaries as their verdict does: by the last element of the path, or by the whole
// path where two would be the same.
func Programs(binaries []Binary) []string {
	bases := make(map[string]int)
	for _, b := range binaries {
		bases[path.Base(b.Path)]++
	}
	var out []string
	for _, b := range binaries {
		name := path.Base(b.Path)
		if bases[name] > 1 {
			name = b.Path
		}
		out = append(out, name)
	}
	return out
}

// call names a syscall.
func call(name string, nr int32) string {
	if name == "" {
		return fmt.Sprintf("number %d", nr)
	}
	return name
}

// answer renders an action with the name of its errno: "ERRNO(1) EPERM".
func answer(action string, data uint16, errno string) string {
	return withErrno(withData(action, data), errno)
}

// withErrno adds the name of the errno that an action gives the caller, if it gives any.
func withErrno(action, errno string) string {
	if errno == "" {
		return action
	}
	return action + " " + errno
}

// withData adds the data to an action that has any, or to which it always matters.
func withData(action string, data uint16) string {
	if data != 0 || action == "ERRNO" || action == "TRACE" {
		return fmt.Sprintf("%s(%d)", action, data)
	}
	return action
}

// place renders a frame's source position, with the file's last two elements unless it is to be
// whole.
func (f Frame) place(whole bool) string {
	if f.File == "" {
		return f.Address.String()
	}
	file := f.File
	if dir, base := path.Split(file); !whole {
		file = path.Join(path.Base(dir), base)
	}
	if f.Line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, f.Line)
}

// String renders file:line:column without what is unknown.
func (p *Position) String() string {
	switch {
	case p == nil:
		return ""
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// wrapping are the packages whose functions only carry a call to the kernel: the frame above them
// is the one that says what the program wanted.
var wrapping = []string{
	"syscall.", "internal/runtime/syscall", "runtime/internal/syscall", "internal/syscall/unix.",
	"golang.org/x/sys/unix.", "internal/poll.ignoringEINTR",
}

func wraps(function string) bool {
	for _, w := range wrapping {
		if strings.HasPrefix(function, w) {
			return true
		}
	}
	return false
}

// libcs begin the names of the libraries whose functions only carry a call to the kernel.
var libcs = []string{"libc.", "libc-", "ld-", "libpthread", "libuClibc"}

// carries reports whether a frame only carries a call to the kernel.
func (f Frame) carries() bool {
	for _, name := range libcs {
		if strings.HasPrefix(f.Module, name) {
			return true
		}
	}
	return f.Function == "syscall" || wraps(f.Function)
}

// innermost returns the index of the last frame that does more than carry a call to the kernel, of the
// last one if there is none.
func innermost(frames []Frame) int {
	for at := len(frames) - 1; at >= 0; at-- {
		if !frames[at].carries() {
			return at
		}
	}
	return len(frames) - 1
}

// Caller names the function of a path that wants the call, and the library that it is in.
func Caller(frames []Frame) string {
	if len(frames) == 0 {
		return ""
	}
	f := frames[innermost(frames)]
	if f.Module != "" {
		return f.Function + " of " + f.Module
	}
	return f.Function
}

// short renders a path in one line: the root, the innermost function that is more than a wrapper
// with its place, and the wrapper that it calls.
func short(frames []Frame) string {
	if len(frames) == 0 {
		return ""
	}
	at := innermost(frames)
	var b strings.Builder
	switch {
	case at > 1:
		b.WriteString(frames[0].Function + " ... -> ")
	case at == 1:
		b.WriteString(frames[0].Function + " -> ")
	}
	b.WriteString(frames[at].Function + " ")
	if m := frames[at].Module; m != "" {
		b.WriteString(m + " ")
	}
	b.WriteString(frames[at].place(false))
	if at+1 < len(frames) {
		b.WriteString(" -> " + frames[at+1].Function)
	}
	return b.String()
}

// arguments renders what is known of a call's arguments: "flags=0x80000 mode=0x0|0x1a4".
func arguments(args []Arg) string {
	const limit = 6
	var parts []string
	for _, a := range args {
		name := a.Name
		if name == "" {
			name = fmt.Sprintf("arg%d", a.Index)
		}
		var values []string
		for i, v := range a.Values {
			if i == limit {
				values = append(values, "...")
				break
			}
			values = append(values, v.String())
		}
		parts = append(parts, name+"="+strings.Join(values, "|"))
	}
	return strings.Join(parts, " ")
}
