package native

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
)

// TestProgram prints what the program PROG in ROOT can call.
func TestProgram(t *testing.T) {
	prog := os.Getenv("PROG")
	if prog == "" {
		t.Skip("no PROG")
	}
	root, err := loader.NewRoot(os.Getenv("ROOT"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := root.Load(prog)
	if err != nil {
		t.Fatal(err)
	}
	res := Analyse(c, facts, Options{})
	byClass := map[string][]string{}
	for _, n := range res.Needs {
		k := string(n.Class)
		if n.Condition != "" {
			k += " " + n.Condition
		}
		byClass[k] = append(byClass[k], n.Name)
	}
	var ks []string
	for k := range byClass {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	fmt.Println(prog, "needs", len(res.Needs), "reached", res.Reached, "of", res.Functions, "missing", c.Missing)
	for _, k := range ks {
		fmt.Println("  ", len(byClass[k]), k, byClass[k])
	}
	for _, u := range res.Unresolved {
		fmt.Println("   U", u.Reason, pathString(c.Modules, u.Path))
	}
	if os.Getenv("PATHS") != "" {
		for _, n := range res.Needs {
			fmt.Println("   ", n.Name, n.Class, pathString(c.Modules, n.Sites[0].Path))
		}
	}
}
