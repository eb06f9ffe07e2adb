package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// builtBinary is a program that --build has made.
type builtBinary struct {
	path string // where it is, until remove
	name string // its file name, by which results name it
}

// buildAll builds the packages of --build for Linux with the go command in the path. The returned
// function removes what was built.
func (a *App) buildAll(o *options) (built []builtBinary, remove func(), err error) {
	remove = func() {}
	if len(o.build) == 0 {
		return nil, remove, nil
	}
	env := append(os.Environ(), "GOOS=linux")
	arches, err := o.archList()
	switch {
	case err != nil:
		return nil, remove, err
	case len(arches) > 1:
		return nil, remove, usage("--build: one --arch, found %d", len(arches))
	case len(arches) == 1 && arches[0].GOARCH == "":
		return nil, remove, usage("--build: Go has no port to %s", arches[0].Name)
	case len(arches) == 1:
		env = append(env, "GOARCH="+arches[0].GOARCH)
	}
	for _, pkg := range o.build {
		if pkg == "" || strings.HasPrefix(pkg, "-") {
			return nil, remove, usage("--build: %q is no package", pkg)
		}
	}
	dir, err := os.MkdirTemp("", "profcheck-build-")
	if err != nil {
		return nil, remove, fmt.Errorf("--build: %w", err)
	}
	remove = func() { os.RemoveAll(dir) }
	for i, pkg := range o.build {
		a.note(o, "building %s", pkg)
		made, err := a.buildOne(filepath.Join(dir, fmt.Sprint(i)), pkg, env)
		if err != nil {
			remove()
			return nil, func() {}, err
		}
		built = append(built, made...)
	}
	return built, remove, nil
}

// buildOne builds a package, or several with a pattern, into a directory of its own.
func (a *App) buildOne(dir, pkg string, env []string) ([]builtBinary, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("--build %s: %w", pkg, err)
	}
	cmd := exec.Command("go", "build", "-o", dir+string(filepath.Separator), pkg)
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = a.Stderr, a.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("--build %s: go build: %w", pkg, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("--build %s: %w", pkg, err)
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("--build %s: not a program: no package main", pkg)
	}
	var made []builtBinary
	for _, e := range entries {
		made = append(made, builtBinary{filepath.Join(dir, e.Name()), e.Name()})
	}
	return made, nil
}
