package cli

import (
	"testing"

	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// Several ABIs share a host; which of them was asked about first must not show.
func TestTargetOfSharedHost(t *testing.T) {
	p, err := profile.Open("docker-default")
	if err != nil {
		t.Fatal(err)
	}
	v := new(options).view(&subject{name: p.Name, layers: []*layer{{name: p.Name, profile: p}}})
	for _, name := range []string{"x86", "x86_64", "x86"} {
		if doc, err := v.targetDoc(syscalls.ByName(name)); err != nil || doc.Arch != name {
			t.Errorf("%s: target %+v, %v", name, doc, err)
		}
	}
}
