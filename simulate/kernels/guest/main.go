//go:build linux && (arm || arm64 || mips64le || mipsle || ppc64le || s390x)

// Command guest is the first process of a booted kernel, and every other one, too. It does the work
// that package kernels put beside it in the initramfs, prints what the kernel answered, and switches
// the machine off. It knows nothing of what a filter means: it loads what it is given, makes the
// calls it is given, and notes what becomes of them.
//
// The file /jobs has a line for each job: the program that does it, the file with the work, and the
// file for the answers. A program is started anew each time that a filter kills it.
package main

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const stuck = 60 * time.Second // on an idle computer no group takes a tenth of it

func main() {
	if len(os.Args) == 4 {
		if err := work(os.Args[1], os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if err := boot(); err != nil {
		fmt.Println("guest: error:", err)
	}
	syscall.Sync()
	_ = syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}

// boot does all jobs and prints the answers.
func boot() error {
	var u syscall.Utsname
	if err := syscall.Uname(&u); err != nil {
		return err
	}
	fmt.Println("guest: kernel", text(u.Machine[:]), text(u.Release[:]), text(u.Version[:]))
	jobs, err := os.ReadFile("/jobs")
	if err != nil {
		return err
	}
	for _, line := range strings.Split(strings.TrimSpace(string(jobs)), "\n") {
		f := strings.Fields(line)
		if len(f) != 3 {
			return fmt.Errorf("job %q", line)
		}
		if err := do(f[0], f[1], f[2]); err != nil {
			return fmt.Errorf("%s %s: %w", f[0], f[1], err)
		}
		if err := print(f[2]); err != nil {
			return err
		}
	}
	fmt.Println("guest: done")
	return nil
}

func text[T int8 | uint8](field []T) string {
	var b []byte
	for _, c := range field {
		if c == 0 {
			break
		}
		b = append(b, byte(c))
	}
	return string(b)
}

// do starts a job's program until it comes to its end by itself.
func do(program, workFile, answerFile string) error {
	w, err := readWork(workFile)
	if err != nil {
		return err
	}
	a, err := createAnswers(answerFile, w.slots)
	if err != nil {
		return err
	}
	if strings.HasSuffix(program, ".script") {
		return runScripts(program, w, a)
	}
	log, err := os.OpenFile("/log", os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	for last := uint32(none); ; {
		p, err := os.StartProcess(program, []string{program, workFile, answerFile, strconv.Itoa(int(a.group()))},
			&os.ProcAttr{Files: []*os.File{os.Stdin, log, log}})
		if err != nil {
			return err
		}
		ended := make(chan struct{})
		go killStuck(p, a, ended)
		state, err := p.Wait()
		close(ended)
		if err != nil {
			return err
		}
		status := state.Sys().(syscall.WaitStatus)
		switch {
		case status.Exited() && status.ExitStatus() == 0:
			return log.Close()
		case status.Signaled() && a.current() != none && a.current() != last:
			last = a.current()
			a.set(last, outcome(diedProcess, uint32(status.Signal())))
		default:
			said, _ := os.ReadFile("/log")
			return fmt.Errorf("group %d, answer %d: %v: %s", a.group(), a.current(), state, said)
		}
	}
}

// killStuck ends a program that is with one answer, or between two, for too long.
func killStuck(p *os.Process, a answers, ended <-chan struct{}) {
	for group, current := a.group(), a.current(); ; {
		select {
		case <-ended:
			return
		case <-time.After(stuck):
		}
		g, c := a.group(), a.current()
		if g == group && c == current {
			fmt.Printf("guest: stuck at group %d, answer %d\n", g, c)
			_ = p.Kill()
			return
		}
		group, current = g, c
	}
}

// print writes a job's answers: their length and checksum, and lines of base64 of their flate.
func print(file string) error {
	answers, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	answers = answers[headerSize:]
	var packed bytes.Buffer
	zw, err := flate.NewWriter(&packed, 3)
	if err != nil {
		return err
	}
	_, werr := zw.Write(answers)
	if err := errors.Join(werr, zw.Close()); err != nil {
		return err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "answers: %d %d %08x\n", len(answers), packed.Len(), crc32.ChecksumIEEE(answers))
	for packed.Len() > 0 {
		out.WriteString("= " + base64.StdEncoding.EncodeToString(packed.Next(720)) + "\n")
	}
	_, err = io.Copy(os.Stdout, &out)
	return err
}
