// Does with sockets what package net can do without a network.
package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"time"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	dir, err := os.MkdirTemp("", "network")
	check(err)
	defer os.RemoveAll(dir)
	tcp()
	udp()
	unix(filepath.Join(dir, "socket"))
	net.InterfaceAddrs()
	net.LookupHost("localhost")
}

// tcp sends a file, splices one connection into another and shuts down half of one.
func tcp() {
	l, err := net.Listen("tcp", "localhost:0")
	check(err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	a, err := net.Dial("tcp", l.Addr().String())
	check(err)
	b, err := net.DialTimeout("tcp", l.Addr().String(), time.Second)
	check(err)
	f, err := os.Open(os.Args[0])
	check(err)
	go func() { io.Copy(a, io.LimitReader(f, 1<<20)); a.(*net.TCPConn).CloseWrite() }()
	go func() { io.Copy(b, a); b.(*net.TCPConn).CloseWrite() }()
	io.Copy(io.Discard, b)
	check(a.(*net.TCPConn).SetLinger(0))
	check(a.(*net.TCPConn).SetKeepAlivePeriod(time.Minute))
	bufs := net.Buffers{[]byte("a"), []byte("b")}
	bufs.WriteTo(b)
	file, err := b.(*net.TCPConn).File()
	check(err)
	file.Close()
	a.Close()
	b.Close()
}

// udp sends and receives datagrams.
func udp() {
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	check(err)
	c, err := net.Dial("udp", p.LocalAddr().String())
	check(err)
	_, err = c.Write([]byte("x"))
	check(err)
	buf := make([]byte, 10)
	_, from, err := p.ReadFrom(buf)
	check(err)
	_, err = p.WriteTo(buf[:1], from)
	check(err)
	_, err = c.Read(buf)
	check(err)
	p.(*net.UDPConn).WriteMsgUDP([]byte("y"), nil, from.(*net.UDPAddr))
	c.(*net.UDPConn).ReadMsgUDP(buf, nil)
}

// unix sends over a socket with a name.
func unix(path string) {
	l, err := net.Listen("unix", path)
	check(err)
	go func() {
		c, err := l.Accept()
		check(err)
		io.Copy(io.Discard, c)
		c.Close()
	}()
	c, err := net.Dial("unix", path)
	check(err)
	c.(*net.UnixConn).WriteMsgUnix([]byte("x"), nil, nil)
	c.Close()
	l.Close()
}
