package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/profcheck/profcheck/profile"
)

// profileNames turns the arguments of a command that takes many profiles into names of one file each:
// patterns into the files that match, and folders into the files with profiles below them. What else
// is in a folder is counted in a note.
func (a *App) profileNames(o *options, args []string) (names []string, failed []error) {
	for _, arg := range args {
		list := []string{arg}
		if isPattern(arg) {
			var err error
			if list, err = filepath.Glob(arg); err != nil {
				failed = append(failed, usage("%s: %w", arg, err))
			} else if len(list) == 0 {
				failed = append(failed, fmt.Errorf("%s: no file matches", arg))
			}
		}
		for _, name := range list {
			if info, err := os.Stat(name); err != nil || !info.IsDir() || name != arg && !strings.HasSuffix(arg, "/") && len(list) > 1 {
				if err == nil && info.IsDir() {
					continue // a folder that a pattern for files meets
				}
				names = append(names, name)
				continue
			}
			found, err := a.profilesBelow(o, name)
			if err != nil {
				failed = append(failed, err)
			}
			names = append(names, found...)
		}
	}
	return names, failed
}

// isPattern recognises a pattern that the shell has left: nothing is called like it.
func isPattern(arg string) bool {
	return strings.ContainsAny(arg, "*?[") && sniff(arg) == absent
}

// profilesBelow lists the files with profiles in a folder and those below it, but for hidden ones.
func (a *App) profilesBelow(o *options, dir string) (names []string, err error) {
	skipped := 0
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch hidden := path != dir && strings.HasPrefix(entry.Name(), "."); {
		case err != nil:
			return fmt.Errorf("%s: %w", path, bare(err))
		case entry.IsDir() && hidden:
			return fs.SkipDir
		case hidden || !entry.Type().IsRegular():
			return nil
		}
		info, err := entry.Info()
		if err != nil || info.Size() > maxFilterFile { // no profile is that large
			skipped++
			return nil
		}
		data, err := readNamed("file", path)
		if err != nil {
			return err
		}
		if profile.Recognize(data) == "" {
			skipped++
			return nil
		}
		names = append(names, path)
		return nil
	})
	switch {
	case err != nil:
	case len(names) == 0:
		err = fmt.Errorf("%s: no file with a profile in it", dir)
	case skipped > 0:
		a.note(o, "%s: %s without a profile left out", dir, counted(skipped, "file"))
	}
	return names, err
}
