package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// The exit codes.
const (
	exitOK       = 0
	exitFindings = 1 // findings at or above the threshold, or the answer no
	exitUsage    = 2 // wrong usage
	exitUnknown  = 3 // could not judge
)

// App is one run of the program. Args are without the program's name.
type App struct {
	Args   []string
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Getenv func(string) string // nil: no environment variable is set
	Now    func() time.Time    // by which ignores expire; nil: the clock

	stdinUsed atomic.Bool
	stdinText []byte // what was read from it
	process   bool   // the run is the whole process
}

// New returns an App for this process.
func New() *App {
	return &App{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, process: true}
}

// hurry lets the heap grow further before it is swept, for commands that are over after some
// milliseconds and some 10 MB: a quarter of their time otherwise.
func (a *App) hurry() {
	if a.process {
		debug.SetGCPercent(400)
	}
}

// Run carries out the command and returns the exit code of the process.
func (a *App) Run() int {
	root := a.root()
	root.SetArgs(negatives(a.Args))
	err := root.Execute()
	var code codeError
	if errors.As(err, &code) && code.err == nil {
		return code.code
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(a.Stderr, "profcheck: %s\n", oneLine(err.Error()))
	return exitCode(err)
}

// exitCode returns the code that an error stands for.
func exitCode(err error) int {
	var code codeError
	var arch *syscalls.UnknownArchError
	var builtin *profile.UnknownBuiltinError
	var parts *profile.PartsError
	switch {
	case errors.As(err, &code):
		return code.code
	case errors.As(err, &arch), errors.As(err, &builtin), errors.As(err, &parts):
		return exitUsage
	}
	return exitUnknown
}

// codeError is an error with an exit code. Without err the command has said all already.
type codeError struct {
	code int
	err  error
}

func (e codeError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e codeError) Unwrap() error { return e.err }

// usage makes an error of wrong usage, exit 2.
func usage(format string, args ...any) error {
	return codeError{exitUsage, fmt.Errorf(format, args...)}
}

// done ends a command with a code and without a message; nil for exit 0.
func done(code int) error {
	if code == exitOK {
		return nil
	}
	return codeError{code: code}
}

// note prints a line for people on stderr, unless they want none.
func (a *App) note(o *options, format string, args ...any) {
	if !o.quiet {
		fmt.Fprintf(a.Stderr, "profcheck: %s\n", oneLine(fmt.Sprintf(format, args...)))
	}
}

func (a *App) env(name string) string {
	if a.Getenv == nil {
		return ""
	}
	return a.Getenv(name)
}

// oneLine keeps a message to one line and its control characters, which can come from a file's
// name, off the terminal.
func oneLine(s string) string {
	s = strings.TrimRight(s, "\n")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

// negatives writes negative numbers that follow the word simulate as hex, so that they are not taken
// for flags.
func negatives(args []string) []string {
	out := append([]string{}, args...) // never nil, for which cobra takes os.Args
	after := false
	for i, arg := range out {
		if after && len(arg) > 1 && arg[0] == '-' && arg[1] >= '0' && arg[1] <= '9' {
			if v, err := parseNumber(arg); err == nil {
				out[i] = fmt.Sprintf("%#x", v)
			}
		}
		after = after || arg == "simulate"
	}
	return out
}

// exactly is a check of positional arguments whose message says what is wanted.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usage("%s: want %s, found %d arguments; see profcheck %s --help", cmd.Name(), what, len(args), cmd.Name())
		}
		return nil
	}
}

// atLeast is exactly for a least number.
func atLeast(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return usage("%s: want %s; see profcheck %s --help", cmd.Name(), what, cmd.Name())
		}
		return nil
	}
}
