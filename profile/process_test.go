package profile

import (
	"slices"
	"testing"
)

// What a config.json says of the process decides the target of runc; a section standing alone and
// Docker's reader keep their defaults.
func TestProcess(t *testing.T) {
	const seccomp = `"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"}}`
	docker := DockerCaps()
	for _, c := range []struct {
		name, text string
		format     string
		noNewPrivs bool
		caps       []string
	}{
		{"both", `{"process":{"noNewPrivileges":true,"capabilities":{"bounding":["CAP_KILL","CAP_CHOWN","CAP_KILL","CAP_NONE"],"permitted":["CAP_SYS_ADMIN"]}},` + seccomp + `}`, "", true, []string{"CAP_CHOWN", "CAP_KILL"}},
		{"none", `{"process":{"noNewPrivileges":false,"capabilities":{"bounding":[]}},` + seccomp + `}`, "", false, nil},
		{"no bounding set", `{"process":{"capabilities":{}},` + seccomp + `}`, "", false, nil},
		{"no capabilities", `{"process":{"noNewPrivileges":true},` + seccomp + `}`, "", true, docker},
		{"nulls", `{"process":{"noNewPrivileges":null,"capabilities":null},` + seccomp + `}`, "", false, docker},
		{"process after", `{` + seccomp + `,"process":{"noNewPrivileges":true}}`, "", true, docker},
		{"no process", `{` + seccomp + `}`, "", false, docker},
		{"alone", `{"defaultAction":"SCMP_ACT_ERRNO"}`, OCI, false, docker},
		{"for Docker", `{"process":{"noNewPrivileges":true,"capabilities":{}},` + seccomp + `}`, Docker, false, docker},
	} {
		p, err := ParseAs("p", []byte(c.text), c.format)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		target := p.DefaultTarget(arch(t, "x86_64"))
		if target.NoNewPrivs != c.noNewPrivs || !slices.Equal(target.Caps, c.caps) {
			t.Errorf("%s: %v, %v", c.name, target.NoNewPrivs, target.Caps)
		}
	}
	p := mustParse(t, "{\n\"process\":{\"noNewPrivileges\":true,\n\"capabilities\":{\"bounding\":[\"CAP_KILL\"]}}}")
	got := []string{p.Process.Pos.String(), p.Process.NoNewPrivsPos.String(), p.Process.CapsPos.String(), p.Process.Bounding[0].Pos.String()}
	if want := []string{"p.json:2:11", "p.json:2:30", "p.json:3:16", "p.json:3:29"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A config.json without linux.seccomp says so; a profile that is empty itself does not.
func TestAbsent(t *testing.T) {
	const none, empty = "has no linux.seccomp section, so seccomp is off", "has neither a default action nor rules, which turns seccomp off"
	for _, c := range []struct{ text, format, reason string }{
		{`{"ociVersion":"1.0.2"}`, OCI, none},
		{`{"process":{"args":[]},"root":{"path":"rootfs"}}`, OCI, none},
		{`{"linux":{}}`, OCI, none},
		{`{"linux":{"seccomp":null}}`, OCI, none},
		{`{"linux":{"seccomp":{}}}`, OCI, empty},
		{`{}`, Docker, empty},
		{`{"root":{},"defaultAction":"SCMP_ACT_ALLOW"}`, Docker, ""},
		{`{"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW"}}}`, OCI, ""},
	} {
		p := mustParse(t, c.text)
		if p.Format != c.format || p.DisabledReason() != c.reason || p.Disabled() != (c.reason != "") {
			t.Errorf("%s: %s, %q", c.text, p.Format, p.DisabledReason())
		}
	}
}
