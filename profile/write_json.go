package profile

import (
	"bytes"
	"encoding/json"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// The fields of the JSON formats in the order in which profiles in use have them.
type (
	jsonProfile struct {
		DefaultAction    ActionName    `json:"defaultAction,omitempty"`
		DefaultErrnoRet  *uint32       `json:"defaultErrnoRet,omitempty"`
		DefaultErrno     string        `json:"defaultErrno,omitempty"`
		ArchMap          []jsonArchMap `json:"archMap,omitempty"`
		Architectures    []string      `json:"architectures,omitempty"`
		Flags            *[]string     `json:"flags,omitempty"`
		ListenerPath     string        `json:"listenerPath,omitempty"`
		ListenerMetadata string        `json:"listenerMetadata,omitempty"`
		Syscalls         []jsonRule    `json:"syscalls,omitempty"`
	}
	jsonArchMap struct {
		Architecture     string   `json:"architecture,omitempty"`
		SubArchitectures []string `json:"subArchitectures"`
	}
	jsonRule struct {
		Names    []string    `json:"names"`
		Action   ActionName  `json:"action"`
		ErrnoRet *uint32     `json:"errnoRet,omitempty"`
		Errno    string      `json:"errno,omitempty"`
		Args     []jsonArg   `json:"args,omitempty"`
		Comment  string      `json:"comment,omitempty"`
		Includes *jsonFilter `json:"includes,omitempty"`
		Excludes *jsonFilter `json:"excludes,omitempty"`
	}
	jsonArg struct {
		Index    int    `json:"index"`
		Value    uint64 `json:"value"`
		ValueTwo uint64 `json:"valueTwo,omitempty"`
		Op       Op     `json:"op"`
	}
	jsonFilter struct {
		Caps      []string `json:"caps,omitempty"`
		Arches    []string `json:"arches,omitempty"`
		MinKernel *string  `json:"minKernel,omitempty"`
	}
)

// writeJSON writes Docker's, Podman's and the OCI's format; plain has left out what one lacks.
func writeJSON(w *writing) ([]byte, error) {
	p := w.p
	doc := jsonProfile{
		DefaultAction: p.DefaultAction, DefaultErrnoRet: w.errno, Architectures: w.arches,
		ListenerPath: p.ListenerPath, ListenerMetadata: p.ListenerMetadata,
	}
	if w.flagsSet {
		list := append([]string{}, w.flags...)
		doc.Flags = &list
	}
	for _, m := range w.archMap {
		doc.ArchMap = append(doc.ArchMap, jsonArchMap{m.Arch.Text, append([]string{}, texts(m.Sub)...)})
	}
	if p.DefaultAction.CarriesErrno() {
		doc.DefaultErrno = w.errnoName(w.errno)
	}
	for i := range w.rules {
		r := &w.rules[i]
		out := jsonRule{Names: texts(r.Names), Action: r.Action, ErrnoRet: r.ErrnoRet}
		for _, a := range r.Args {
			out.Args = append(out.Args, jsonArg{a.Index, a.Value, a.ValueTwo, a.Op})
		}
		if r.Action.CarriesErrno() {
			out.Errno = w.errnoName(r.ErrnoRet)
		}
		if w.to.dialect.docker {
			out.Comment, out.Includes, out.Excludes = r.Comment, r.Includes.json(), r.Excludes.json()
		}
		doc.Syscalls = append(doc.Syscalls, out)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(doc)
	return b.Bytes(), err
}

// errnoName is Podman's word for an errno, "" in other formats and for what it has no word. The
// number stands beside it, so that nothing depends on the word.
func (w *writing) errnoName(n *uint32) string {
	if !w.to.dialect.errnos {
		return ""
	}
	v := uint32(eperm)
	if n != nil {
		v = low16(n)
	}
	word := filter.ErrnoName(int(v))
	if found, ok := podmanErrno(word, w.Target.Host); !ok || found != v {
		return ""
	}
	return word
}

func (f Filter) json() *jsonFilter {
	out := jsonFilter{Caps: texts(f.Caps), Arches: texts(f.Arches)}
	if f.MinKernel != nil {
		word := ""
		if *f.MinKernel != (syscalls.Kernel{}) {
			word = f.MinKernel.String()
		}
		out.MinKernel = &word
	}
	if len(out.Caps)+len(out.Arches) == 0 && out.MinKernel == nil {
		return nil
	}
	return &out
}

func texts(names []Name) (out []string) {
	for _, n := range names {
		out = append(out, n.Text)
	}
	return out
}
