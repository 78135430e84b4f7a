// Package pgtest runs a throw-away PostgreSQL server for the tests of one package: on a Unix socket of its own, in a folder
// that goes with it, with the binaries that are installed.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Options of a Server.
type Options struct {
	// Durable has the server write its files through, as in production. It is off by default, because it is slow and
	// only a machine that loses power would tell the difference.
	Durable bool
	// Password of the administrator; empty where the server asks for none.
	Password string
	// Dir is where the server's folder is made; the system's folder for what is temporary if empty. Its path must be short,
	// because that of the socket must be.
	Dir string
	// Settings of postgresql.conf.
	Settings map[string]string
}

// Server is a PostgreSQL server. Its one user is its administrator.
type Server struct {
	dir      string
	bin      string
	password string
	owner    *syscall.Credential
	pid      int
	kill     func(syscall.Signal) error
	exited   chan struct{}
}

// startTimeout bounds how long a server may take to start, recovery after a crash and a busy machine included.
const startTimeout = 2 * time.Minute

// ErrMissing says that no PostgreSQL server is installed.
var ErrMissing = errors.New("no PostgreSQL server found, neither by pg_config nor in /usr/lib/postgresql: " +
	"run 'make postgres', or install it")

// Start makes a server and starts it. Stop it in the end.
func Start(o Options) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.Dir, "pgtest")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin, password: o.Password, owner: owner}
	if err := s.init(o); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.Restart(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// binaries returns the folder of the newest server installed.
func binaries() (string, error) {
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(folders, func(a, b string) int { return version(a) - version(b) })
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	for _, folder := range slices.Backward(folders) {
		if _, err := os.Stat(filepath.Join(folder, "initdb")); err == nil {
			return folder, nil
		}
	}
	return "", ErrMissing
}

func version(bin string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	if err != nil {
		return 0
	}
	return n
}

// unprivileged returns whom the server is to run as where root runs the tests, because it refuses to run as root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	var errs []error
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and there is nobody else: %w", errors.Join(errs...))
}

func (s *Server) init(o Options) error {
	if s.owner != nil {
		if err := os.Chown(s.dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return err
		}
	}
	args := []string{"--pgdata", s.Data(), "--username", "postgres", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--auth", "trust"}
	if s.password != "" {
		file := filepath.Join(s.dir, "password")
		if err := os.WriteFile(file, []byte(s.password+"\n"), 0o644); err != nil {
			return err
		}
		args = append(args[:len(args)-1], "scram-sha-256", "--pwfile", file)
	}
	if out, err := s.Command("initdb", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	settings := map[string]string{
		"listen_addresses": "", "unix_socket_directories": s.dir, "max_connections": "200", "shared_buffers": "64MB",
		// A store must not depend on the server's time zone: this one has an odd offset.
		"timezone": "Pacific/Chatham",
	}
	if !o.Durable {
		for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
			settings[name] = "off"
		}
	}
	for name, value := range o.Settings {
		settings[name] = value
	}
	return s.Configure(settings)
}

// Configure adds to postgresql.conf, for the next start.
func (s *Server) Configure(settings map[string]string) error {
	f, err := os.OpenFile(filepath.Join(s.Data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for name, value := range settings {
		if _, err := fmt.Fprintf(f, "%s = '%s'\n", name, strings.ReplaceAll(value, "'", "''")); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

// Data returns the folder of the database cluster.
func (s *Server) Data() string { return filepath.Join(s.dir, "data") }

// Socket returns the folder of the server's socket.
func (s *Server) Socket() string { return s.dir }

// DSN returns where the server's database named postgres is, as a URI, with the settings of a session.
func (s *Server) DSN(settings map[string]string) string {
	if s.password == "" {
		return DSN(s.dir, settings)
	}
	all := map[string]string{"password": s.password}
	maps.Copy(all, settings)
	return DSN(s.dir, all)
}

// DSN returns where a server is that asks for no password and whose socket is in the folder.
func DSN(socket string, settings map[string]string) string {
	q := url.Values{"host": {socket}, "user": {"postgres"}, "sslmode": {"disable"}}
	for name, value := range settings {
		q.Set(name, value)
	}
	return "postgres:///postgres?" + q.Encode()
}

// Command returns a program of the server's, to be run as the server's user.
func (s *Server) Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "PGPASSWORD="+s.password)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	return cmd
}

// Restart starts the server after it was stopped or killed, and returns when it takes connections.
func (s *Server) Restart() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		err := s.launch()
		if err == nil {
			err = s.await(ctx)
		}
		if !errors.Is(err, errHeld) {
			return err
		}
		// The children of a server that was killed take a moment to notice.
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

var errHeld = errors.New("children of an earlier server hold its memory")

// launch starts the server's process. It is told to end when this process does, however that comes about.
func (s *Server) launch() error {
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := s.Command("postgres", "-D", s.Data())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr.Setpgid = true // a Ctrl-C is for the tests, which then end the server
	endWithParent(cmd.SysProcAttr)
	started, exited := make(chan error), make(chan struct{})
	go func() {
		defer close(exited)
		// The system counts the thread that starts a process as its parent, so that thread must live.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := errors.Join(cmd.Start(), log.Close())
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is for the log
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.pid = cmd.Process.Pid
	s.kill = func(sig syscall.Signal) error { return cmd.Process.Signal(sig) }
	s.exited = exited
	return nil
}

func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

// Log returns what the server has logged.
func (s *Server) Log() string {
	log, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(log)
}

// await waits until the server takes connections.
func (s *Server) await(ctx context.Context) error {
	for {
		out, err := s.Command("pg_isready", "--quiet", "--host", s.dir, "--username", "postgres").CombinedOutput()
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			if strings.Contains(s.lastLines(), "pre-existing shared memory block") {
				return errHeld
			}
			return fmt.Errorf("the server did not start:\n%s", s.Log())
		default:
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the server takes no connections: %w\n%s\n%s", err, out, s.Log())
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("the server takes no connections: %w\n%s", err, s.Log())
		}
	}
}

func (s *Server) lastLines() string {
	lines := strings.Split(strings.TrimSpace(s.Log()), "\n")
	return strings.Join(lines[max(0, len(lines)-4):], "\n")
}

// pause is for a moment, between two looks at what nothing announces.
func pause(ctx context.Context) error {
	timer := time.NewTimer(50 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Kill ends the server as kill -9 does, and returns when its process is gone. What it started may live a moment longer.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

// Shutdown ends the server in order, and its connections at once.
func (s *Server) Shutdown() error { return s.end(syscall.SIGINT) }

// Immediate ends the server and all that it started at once, as pg_ctl -m immediate does.
func (s *Server) Immediate() error { return s.end(syscall.SIGQUIT) }

func (s *Server) end(sig syscall.Signal) error {
	if err := s.kill(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.exited
	return nil
}

// Stop ends the server and deletes its folder.
func (s *Server) Stop() error {
	var err error
	if s.kill != nil {
		err = s.Immediate()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Main runs a package's tests with a server, and returns their exit code.
func Main(o Options, run func(*Server) int) int {
	s, err := Start(o)
	if err != nil {
		_, _ = io.WriteString(os.Stderr, "pgtest: "+err.Error()+"\n")
		return 1
	}
	code := run(s)
	if err := s.Stop(); err != nil {
		_, _ = io.WriteString(os.Stderr, "pgtest: "+err.Error()+"\n")
		return 1
	}
	return code
}
