package loader

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"strings"
	"syscall"
)

// Program is what the kernel runs in the end for a command.
type Program struct {
	Name string // the path that was found for the command, before links: programs look at it, as busybox does
	Path string // in the root, absolute, without links
	Host string // where that is on this machine

	// Script is the chain of files that lead to it, first the one that was asked for: scripts, and
	// the env program where a script's first line names that. It is empty for a program.
	Script []string
}

// Limits of the kernel for scripts: exec_binprm in fs/exec.c, BINPRM_BUF_SIZE.
const (
	maxInterpreters = 5
	scriptHead      = 256
)

// Program finds the program of a command: a name without slash by the search path, anything else as
// a path. A script stands for its interpreter.
//
// In the machine's own root a file of the working directory wins over the search path, as for every
// command that takes a file.
func (r *Root) Program(arg string) (Program, error) {
	at, err := r.command(arg)
	if err != nil {
		return Program{}, err
	}
	p := Program{Name: at}
	for {
		host, inside, err := r.Resolve(at)
		if err != nil {
			return Program{}, err
		}
		p.Path, p.Host = inside, host
		info, _, err := r.stat(inside)
		if err != nil {
			return Program{}, err
		}
		if !info.Mode().IsRegular() {
			return Program{}, fmt.Errorf("%s: not a regular file", inside)
		}
		head, err := r.readHead(inside, scriptHead)
		if err != nil {
			return Program{}, &fs.PathError{Op: "read", Path: inside, Err: err}
		}
		if !bytes.HasPrefix(head, []byte("#!")) {
			return p, nil
		}
		if len(p.Script) >= maxInterpreters {
			return Program{}, fmt.Errorf("%s: %d scripts are each other's interpreters, the kernel follows %d", p.Script[0], len(p.Script)+1, maxInterpreters)
		}
		p.Script = append(p.Script, inside)
		at, err = r.interpreter(&p, head)
		if err != nil {
			return Program{}, err
		}
	}
}

// command is the path that a command word stands for.
func (r *Root) command(arg string) (string, error) {
	if arg == "" {
		return "", fmt.Errorf("no program: %w", fs.ErrNotExist)
	}
	if strings.Contains(arg, "/") || runtime.GOOS == "windows" && strings.Contains(arg, `\`) {
		return arg, nil
	}
	if r.Own() {
		if info, _, err := r.stat(arg); err == nil && info.Mode().IsRegular() {
			return arg, nil
		}
	}
	return r.lookPath(arg)
}

// lookPath finds an executable file by the search path.
func (r *Root) lookPath(name string) (string, error) {
	refused := ""
	for dir := range strings.SplitSeq(r.SearchPath, ":") {
		at := path.Join(dir, name)
		if dir == "" {
			at = "./" + name
		}
		info, _, err := r.stat(at)
		if err != nil || info.IsDir() {
			continue
		}
		if info.Mode().IsRegular() && (info.Mode()&0o111 != 0 || runtime.GOOS == "windows") {
			return at, nil
		}
		refused = at
	}
	if refused != "" {
		return "", fmt.Errorf("%s: %s is not executable: %w", name, refused, fs.ErrPermission)
	}
	return "", fmt.Errorf("%s: not in %s: %w", name, r.SearchPath, fs.ErrNotExist)
}

// interpreter is the path of the program that runs the script at the end of p's chain.
func (r *Root) interpreter(p *Program, head []byte) (string, error) {
	script := p.Script[len(p.Script)-1]
	name, arg, ok := scriptLine(head)
	if !ok {
		return "", fmt.Errorf("%s: no interpreter in its first line: %w", script, syscall.ENOEXEC)
	}
	if path.Base(name) != "env" {
		if _, _, err := r.Resolve(name); err != nil {
			return "", fmt.Errorf("%s: interpreter %q: %w", script, name, cause(err))
		}
		return name, nil
	}
	command, ok := envCommand(arg)
	if !ok {
		return name, nil
	}
	_, env, err := r.Resolve(name)
	if err != nil {
		return "", fmt.Errorf("%s: interpreter %q: %w", script, name, cause(err))
	}
	p.Script = append(p.Script, env)
	if strings.Contains(command, "/") {
		return command, nil
	}
	found, err := r.lookPath(command)
	if err != nil {
		return "", fmt.Errorf("%s: %w", script, err)
	}
	return found, nil
}

// scriptLine takes the interpreter and its only argument from the first bytes of a script, as
// load_script of fs/binfmt_script.c does: a path that does not end within them is refused.
func scriptLine(head []byte) (name, arg string, ok bool) {
	buf := make([]byte, scriptHead)
	copy(buf, head)
	line := buf[2:]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	} else {
		// A line that is cut off may lose of its argument, not of its path: something must end that,
		// at the latest in the last byte.
		trimmed := bytes.TrimLeft(line, " \t")
		if len(trimmed) == 0 || !bytes.ContainsAny(trimmed, " \t\x00") {
			return "", "", false
		}
		line = line[:len(line)-1]
	}
	line = bytes.Trim(line, " \t")
	if i := bytes.IndexByte(line, 0); i >= 0 {
		line = line[:i]
	}
	if len(line) == 0 {
		return "", "", false
	}
	end := bytes.IndexAny(line, " \t")
	if end < 0 {
		return string(line), "", true
	}
	return string(line[:end]), string(bytes.TrimLeft(line[end:], " \t")), true
}

// envCommand is the command that env runs when it gets one argument: the argument itself, or with
// -S the first word of it that is neither an option nor an assignment.
func envCommand(arg string) (string, bool) {
	words := []string{arg}
	if rest, ok := strings.CutPrefix(arg, "-S"); ok {
		words = strings.Fields(rest)
	} else if rest, ok := strings.CutPrefix(arg, "--split-string="); ok {
		words = strings.Fields(rest)
	}
	for i := 0; i < len(words); i++ {
		w := strings.Trim(words[i], `"'`)
		switch {
		case w == "-u" || w == "-C":
			i++
		case w == "" || strings.HasPrefix(w, "-"), strings.Contains(w, "="):
		default:
			return w, true
		}
	}
	return "", false
}
