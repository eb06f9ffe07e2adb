// Command profcheck tells whether a program runs under a seccomp profile; see profcheck --help.
package main

import (
	"os"

	"github.com/profcheck/profcheck/internal/cli"
)

func main() {
	os.Exit(cli.New().Run())
}
