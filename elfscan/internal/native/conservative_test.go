package native

import (
	"reflect"
	"testing"

	"github.com/profcheck/profcheck/finding"
)

// What only the conservative analysis adds is conditional, and what is reached is as it was.
func TestConservative(t *testing.T) {
	path := compile(t, "#include <sys/mount.h>\n#include <stdio.h>\nstatic void u(void) { mount(\"a\", \"b\", \"c\", 0, 0); }\nvoid (*volatile v)(void);\nvoid unused(void) { v = u; }\nint main(void) { puts(\"x\"); return 0; }")
	with, _ := analyse(t, path, Options{})
	all, c := analyse(t, path, Options{Conservative: true})
	if needOf(with, "mount") != nil {
		t.Fatalf("mount is reached: %s", pathString(c.Modules, needOf(with, "mount").Sites[0].Path))
	}
	if n := needOf(all, "mount"); n == nil || n.Class != finding.Conditional || n.Condition != whenUnseen || n.Sites[0].Condition != whenUnseen {
		t.Errorf("mount: %+v", n)
	}
	for i := range all.Needs {
		n := &all.Needs[i]
		s := needOf(with, n.Name)
		switch {
		case s == nil && (n.Class != finding.Conditional || n.Condition != whenUnseen):
			t.Errorf("%s is %s: %s", n.Name, n.Class, n.Condition)
		case s != nil && (n.Class != s.Class || n.Condition != s.Condition || !reflect.DeepEqual(n.Sites[:len(s.Sites)], s.Sites)):
			t.Errorf("%s was %s: %s, and is %s: %s", n.Name, s.Class, s.Condition, n.Class, n.Condition)
		}
	}
	if len(all.Needs) < len(with.Needs)+50 {
		t.Errorf("%d needs, %d without", len(all.Needs), len(with.Needs))
	}
}
