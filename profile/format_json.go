package profile

import "strings"

// The three formats of JSON with the fields of the OCI runtime specification.

var _ = registerFormat(format{
	name: OCI, title: "runc, crun and other OCI runtimes: linux.seccomp, alone or in a config.json",
	runtime: RuntimeRunc, caps: true, rank: rankFields,
	dialect: dialect{who: "a reader of the OCI format"},
	is:      func(doc document) bool { return !doc.yaml && isConfig(doc) },
	read:    readJSON,
	write:   writeJSON,
	target: func(p *Profile, t *Target) {
		if p.Process != nil {
			t.NoNewPrivs = p.Process.NoNewPrivileges
		}
		if p.Process.GivesCaps() {
			t.Caps = p.Process.Caps()
		}
	},
})

var _ = registerFormat(format{
	name: Podman, title: "Podman, Buildah and CRI-O: go.podman.io/common pkg/seccomp",
	runtime: RuntimePodman, caps: true, rank: rankFields,
	dialect: dialect{who: "Podman", docker: true, errnos: true},
	is:      func(doc document) bool { return !doc.yaml && hasErrnoWord(doc) },
	read:    readJSON,
	write:   writeJSON,
})

var _ = registerFormat(format{
	name: Docker, title: "Docker: github.com/moby/profiles/seccomp",
	runtime: RuntimeDocker, caps: true, rank: rankRest,
	dialect: dialect{who: "Docker", docker: true},
	is:      func(doc document) bool { return !doc.yaml && (!isResource(doc) || hasProfileField(doc)) },
	read:    readJSON,
	write:   writeJSON,
})

// isResource recognises a resource of Kubernetes.
func isResource(doc document) bool {
	return doc.word(doc.root, "apiVersion") != "" && doc.word(doc.root, "kind") != ""
}

// strict is the only profile of the kernel's own, and no file has its format.
var _ = registerFormat(format{name: Kernel, title: "the kernel itself", runtime: RuntimeKernel, rank: rankNever, dialect: dialect{who: "Docker", docker: true}})

// readJSON reads a profile, or a config.json with one inside.
func readJSON(f *file, doc document) error {
	if doc.yaml {
		return f.errorf(doc.pos(doc.root), "YAML: %s is read as JSON only", f.format.dialect.who)
	}
	d := f.decoder(doc)
	if kind := d.src.kind(doc.root); kind != "an object" && kind != "null" {
		return d.errorf(doc.root, "", "want an object, found %s", kind)
	}
	read := func() error { return d.profile(doc.root, "") }
	if isConfig(doc) {
		read = func() error { return d.config(doc.root) }
	}
	if err := read(); err != nil {
		return err
	}
	f.add(d.finish(), "")
	return nil
}

// hasErrnoWord recognises a profile of Podman's: it gives an errno as a word. Without one it reads as
// Docker's.
func hasErrnoWord(doc document) bool {
	if doc.kind(doc.root) != "an object" || isConfig(doc) {
		return false
	}
	found := false
	word := func(wanted string) func(key, val value) error {
		return func(key, val value) error {
			found = found || strings.EqualFold(doc.text(key), wanted) && doc.kind(val) == "a string" && doc.text(val) != ""
			return nil
		}
	}
	// The callbacks never fail.
	_ = doc.members(doc.root, func(key, val value) error {
		_ = word("defaultErrno")(key, val)
		if !strings.EqualFold(doc.text(key), "syscalls") || doc.kind(val) != "an array" {
			return nil
		}
		return doc.elements(val, func(_ int, rule value) error {
			if doc.kind(rule) != "an object" {
				return nil
			}
			return doc.members(rule, word("errno"))
		})
	})
	return found
}

// isConfig recognises an OCI config.json.
func isConfig(doc document) bool {
	found, perhaps, profile := false, false, false
	if doc.kind(doc.root) != "an object" {
		return false
	}
	// The callback never fails.
	_ = doc.members(doc.root, func(key, val value) error {
		switch name := doc.text(key); {
		case strings.EqualFold(name, "ociVersion"):
			found = true
		case strings.EqualFold(name, "linux"):
			found = found || doc.kind(val) == "an object"
		case strings.EqualFold(name, "process"), strings.EqualFold(name, "root"):
			perhaps = perhaps || doc.kind(val) == "an object"
		case strings.EqualFold(name, "defaultAction"), strings.EqualFold(name, "syscalls"):
			profile = true
		}
		return nil
	})
	return found || perhaps && !profile
}
