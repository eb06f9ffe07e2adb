package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/profcheck/profcheck/elfscan"
	"github.com/profcheck/profcheck/profile"
)

// maxStdin bounds what is read from stdin, in bytes.
const maxStdin = 256 << 20

// readStdin reads standard input, once.
func (a *App) readStdin() ([]byte, error) {
	if a.stdinUsed.Swap(true) {
		return nil, usage("stdin (-) can be read only once")
	}
	if a.Stdin == nil {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(a.Stdin, maxStdin+1))
	if err != nil {
		return nil, fmt.Errorf("stdin: %w", bare(err))
	}
	if len(data) > maxStdin {
		return nil, fmt.Errorf("stdin: larger than %d bytes", maxStdin)
	}
	a.stdinText = data
	return data, nil
}

// readStdinOr reads the file of a profile, or stdin for "-".
func (a *App) readStdinOr(path string) ([]byte, error) {
	if path == "-" {
		return a.readStdin()
	}
	return readNamed("profile", path)
}

// readNamed reads a file that the user named as a profile or filter; kind is the word for it in errors. It
// reads no more than such a file may have, so that a device or pipe without an end is refused by its size. Of
// an ELF file, which may be larger, only that much is returned: others say what is wrong with it.
func readNamed(kind, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, path, bare(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s %s: is a directory", kind, path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFilterFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s %s: %w", kind, path, bare(err))
	case len(data) > maxFilterFile && !bytes.HasPrefix(data, []byte("\x7fELF")):
		return nil, fmt.Errorf("%s %s: larger than %d bytes", kind, path, maxFilterFile)
	}
	return data, nil
}

// openProfiles reads a built-in, all profiles of a file or one with FILE#PART, or stdin for "-". Those that could
// be read come with the error about one that could not.
func (a *App) openProfiles(o *options, name string) ([]*profile.Profile, error) {
	if name != "-" && likeBuiltin(name) {
		return profile.OpenAll(name, o.readOptions())
	}
	path, part := profile.SplitPart(name)
	data, err := a.readStdinOr(path)
	if err != nil {
		return nil, err
	}
	list, err := profile.ReadPart(path, part, data, o.readOptions())
	if err == nil || len(list) > 0 || part != "" {
		return list, err
	}
	return o.filterOr(name, data, err)
}

// filterOr reads what is no profile as the text of a compiled filter. The error is that of the profile's
// reader, unless the text is one of a filter with a mistake in it.
func (o *options) filterOr(name string, data []byte, err error) ([]*profile.Profile, error) {
	if o.isProfile(data) || bytes.HasPrefix(data, []byte("\x7fELF")) || len(bytes.TrimSpace(data)) == 0 {
		return nil, err
	}
	l, bad := readFilter(name, data, "", o.byteOrder())
	if bad != nil {
		return nil, err
	}
	return []*profile.Profile{profile.OfProgram(name, l.program, l.order)}, nil
}

// openProfile is openProfiles where one is wanted.
func (a *App) openProfile(o *options, name string) (*profile.Profile, error) {
	list, err := a.openProfiles(o, name)
	return a.onlyProfile(o, name, list, err)
}

// onlyProfile is the one profile of a file. What the filters of a unit do besides is told.
func (a *App) onlyProfile(o *options, name string, list []*profile.Profile, err error) (*profile.Profile, error) {
	p, err := profile.Only(name, list, err)
	if err != nil {
		return nil, err
	}
	a.noteOthers(o, p)
	return p.ForRuntime(o.forProfile(p.Name).target), nil
}

// noteOthers tells, in one line, of the settings of a unit whose own filters no verdict is about.
func (a *App) noteOthers(o *options, p *profile.Profile) {
	var at profile.Pos
	var names []string
	for _, q := range p.Problems {
		if word := q.Name + "="; q.Kind == profile.OtherFilter && !slices.Contains(names, word) {
			if len(names) == 0 {
				at = q.Pos
			}
			names = append(names, word)
		}
	}
	if len(names) > 0 {
		a.note(o, "%s: not judged: what the filters of %s do besides; the verdict is about SystemCallFilter= alone", at, strings.Join(names, ", "))
	}
}

// readOptions say how files with profiles are read.
func (o *options) readOptions() profile.ReadOptions {
	return profile.ReadOptions{Format: o.inputFormat, Root: o.profileRoot, SeccompDefault: o.seccompDefault}
}

// profileFormats are the formats of files with profiles. A compiled filter is none of them: it has forms of
// its own.
func profileFormats() (names []string) {
	for _, f := range profile.Formats() {
		if f.Name != profile.Raw {
			names = append(names, f.Name)
		}
	}
	return names
}

func isBuiltin(name string) bool {
	for _, b := range profile.Builtins() {
		if b.Name == name {
			return true
		}
	}
	return false
}

// likeBuiltin reports whether a word can only be the name of a built-in profile or of a file in the
// current directory.
func likeBuiltin(word string) bool { return word != "" && !strings.ContainsAny(word, "/.\\") }

// content is what the first bytes of a file say about it.
type content int

const (
	absent    content = iota // no such file
	opaque                   // a directory, or a file that cannot be read
	stream                   // a pipe or device, which only a profile can come from
	program                  // begins with the magic number of ELF files or of scripts
	jsonText                 // begins like a JSON object
	something                // any other file
)

// sniff looks at the first bytes of a file.
func sniff(path string) content {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return absent
	case err != nil || info.IsDir():
		return opaque
	case !info.Mode().IsRegular():
		return stream
	}
	f, err := os.Open(path)
	if err != nil {
		return opaque
	}
	defer f.Close()
	head := make([]byte, 512)
	n, _ := io.ReadFull(f, head)
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")), bytes.HasPrefix(head, []byte("#!")):
		return program
	case bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"), []byte("{")):
		return jsonText
	}
	return something
}

// splitArgs tells binaries and profile apart: the last argument is the profile when it is one.
// built says that --build gives binaries as well.
func (o *options) splitArgs(args []string) (binaries []string, profileName string, err error) {
	built := len(o.build) > 0
	if len(args) == 0 {
		if built {
			return nil, defaultProfile, nil
		}
		return nil, "", usage("no binary given; see profcheck --help")
	}
	last := args[len(args)-1]
	before := args[:len(args)-1]
	alone := len(before) == 0 && !built
	path, part := profile.SplitPart(last)
	switch kind := sniff(path); {
	case part != "" && !alone: // nothing else has parts
		return before, last, nil
	case last == "-" || isBuiltin(last):
		if alone {
			return nil, "", usage("no binary given to check under %s; profcheck lint %s judges the profile alone", last, last)
		}
		return before, last, nil
	case (kind == absent || o.root != "") && o.isProgram(last):
	case kind == absent && likeBuiltin(last) && alone:
		return nil, "", o.unknownWord(last)
	case kind == absent && likeBuiltin(last):
		return before, last, nil // and profile.Open names the nearest built-in
	case kind == jsonText && alone:
		return nil, "", usage("%s is a profile, and no binary is given; profcheck lint %s judges it alone", last, last)
	case kind == absent && strings.HasSuffix(last, ".json"), kind == jsonText, kind == something, kind == stream:
		if !alone {
			return before, last, nil
		}
	}
	return args, defaultProfile, nil
}

// isProgram reports whether there is a program of this name: in the root of --root, or in PATH.
func (o *options) isProgram(name string) bool {
	_, err := elfscan.Options{Root: o.root}.Find(name)
	return err == nil
}

// unknownWord is the error for a first word that is neither command nor program.
func (o *options) unknownWord(word string) error {
	s := suggest(word, commandNames)
	switch {
	case o.unusable(word) != nil:
		return o.unusable(word)
	case strings.Contains(s, "mean"):
		return usage("no command or file %q%s", word, s)
	case o.root != "":
		return fmt.Errorf("%s: no such command, and no such program in %s", word, o.root)
	}
	return fmt.Errorf("%s: no such file or command; see profcheck --help", word)
}

// unusable says why a program that is in the search path cannot be read: because its link leads in a
// circle, or because the interpreter of a script is not there. It is nil if nothing of that name is
// there, which is another message.
func (o *options) unusable(name string) error {
	dirs := rootPath
	if o.root == "" {
		dirs = append([]string{"."}, filepath.SplitList(os.Getenv("PATH"))...)
	}
	for _, dir := range dirs {
		_, err := elfscan.Options{Root: o.root}.Find(dir + "/" + name)
		if err == nil {
			continue
		}
		text := err.Error()
		if strings.HasSuffix(text, syscall.ELOOP.Error()) || strings.Contains(text, ": interpreter ") || strings.Contains(text, ": not in ") {
			return o.absent("", err)
		}
	}
	return nil
}

// rootPath is where names without slash are looked for in a root.
var rootPath = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// absent says of a file that is not there where it was looked for, and of a program that cannot be
// read for what else is not there that this is so.
func (o *options) absent(program string, err error) error {
	if likeBuiltin(program) && errors.Is(err, fs.ErrNotExist) {
		if why := o.unusable(program); why != nil {
			return why
		}
	}
	text, missing := strings.CutSuffix(err.Error(), ": "+syscall.ENOENT.Error())
	if !missing || o.root == "" {
		return err
	}
	hint := ""
	if inside, ok := strings.CutPrefix(filepath.Clean(text), filepath.Clean(o.root)+"/"); ok {
		hint = "; paths are inside of the root: /" + inside
	}
	return &elsewhere{fmt.Sprintf("%s: no such file in the root %s%s", text, o.root, hint), err}
}

// elsewhere is an error in other words.
type elsewhere struct {
	text string
	err  error
}

func (e *elsewhere) Error() string { return e.text }
func (e *elsewhere) Unwrap() error { return e.err }

// firstWord checks the first of several arguments that came without a command word.
func (o *options) firstWord(args []string) error {
	if len(args) > 1 && likeBuiltin(args[0]) && !isBuiltin(args[0]) && sniff(args[0]) == absent && !o.isProgram(args[0]) {
		return o.unknownWord(args[0])
	}
	return nil
}
