// Gen writes the generated files of package syscalls from its committed table. It runs in the
// package's directory:
//
//	go generate ./syscalls                            rewrite the generated files
//	go run ./internal/gen -numbers syscalls.csv       first take new numbers from libseccomp's table
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/profcheck/profcheck/syscalls/internal/table"
)

const tableFile = "table/syscalls.txt"

func main() {
	numbers := flag.String("numbers", "", "libseccomp's `syscalls.csv` to take numbers from")
	flag.Parse()
	if err := run(*numbers); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(numbers string) error {
	text, err := os.ReadFile(tableFile)
	if err != nil {
		return err
	}
	t, err := table.Parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", tableFile, err)
	}
	if numbers != "" {
		if err := refresh(t, numbers); err != nil {
			return fmt.Errorf("%s: %w", numbers, err)
		}
	}
	files, err := table.Generate(t, ".")
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func refresh(t *table.Table, csv string) error {
	f, err := os.Open(csv)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := t.ReadNumbers(f); err != nil {
		return err
	}
	return os.WriteFile(tableFile, []byte(t.Format()), 0o644)
}
