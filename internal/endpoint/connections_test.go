package endpoint_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"

	"github.com/cx-operator/cx-operator/internal/intake"
)

// A pod's limit on memory where nobody says another, and the part of it that Go is told of.
const podMemory, podGoMemory = 256 << 20, 241591911

// TestStrangersFindABound: many more connections than the pod has memory for, which send nothing, a header without an end, or a
// request a second time, neither outgrow it nor keep an ordinary client out.
func TestStrangersFindABound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.process(w.sqlite()...)
	p.program = built(t)
	p.env = []string{fmt.Sprintf("GOMEMLIMIT=%d", podGoMemory)}
	p.start()
	const strangers = 5000
	page := "GET /s/sfo/visits HTTP/1.1\r\nHost: survey.test\r\n"
	long := "X-Long: " + strings.Repeat("x", 15<<10)
	for name, said := range map[string]string{
		"nothing": "", "a header without an end": page + long, "a request": page + "\r\n",
		"a body without an end": "POST " + responses + " HTTP/1.1\r\nHost: survey.test\r\nContent-Type: application/json\r\n" + long +
			"\r\nContent-Length: 65000\r\n\r\n" + strings.Repeat(" ", 64000),
	} {
		conns := make([]net.Conn, 0, strangers)
		for i := range strangers {
			conn, err := net.DialTimeout("tcp", p.intake, patience)
			must(t, err)
			conns = append(conns, conn)
			_, _ = io.WriteString(conn, said) // it may be closed already
			if i%500 == 499 {
				if held := p.resident(); held > podMemory {
					t.Errorf("%s: %d MiB with %d connections", name, held>>20, i+1)
				}
			}
		}
		if name != "a body without an end" { // all that there is room for have a request under way then, and one more is told to come again
			p.submitAnew(t)
		}
		t.Logf("%s: %d MiB, %d connections", name, p.resident()>>20, p.connections())
		if n := p.connections(); n > intake.MostConnections(podGoMemory)+256 {
			t.Errorf("%s: %d connections are open", name, n)
		}
		for _, conn := range conns {
			_ = conn.Close()
		}
		p.submitAnew(t)
	}
	w.eventually("the strangers are forgotten", func() bool { return p.connections() < 100 })
}

// built builds the command: the test's own program has the race detector, which takes several times the memory.
func built(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "cx-operator")
	build := exec.Command("go", "build", "-o", program, "github.com/cx-operator/cx-operator")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v\n%s", err, out)
	}
	return program
}

// submitAnew sends an answer by a connection of its own, as most people do, and soon has it taken.
func (p *process) submitAnew(t *testing.T) {
	t.Helper()
	began := time.Now()
	p.client.CloseIdleConnections()
	if status, text, _ := p.submit(); status != http.StatusCreated || time.Since(began) > patience/4 {
		t.Errorf("an ordinary client after %s: %d %s", time.Since(began), status, text)
	}
}

// resident is how much of the process is in memory, in bytes.
func (p *process) resident() int {
	p.t.Helper()
	status, err := p.proc().NewStatus()
	must(p.t, err)
	return int(status.VmRSS)
}

// connections is how many files it has open, most of which are connections.
func (p *process) connections() int {
	p.t.Helper()
	n, err := p.proc().FileDescriptorsLen()
	must(p.t, err)
	return n
}

func (p *process) proc() procfs.Proc {
	p.t.Helper()
	proc, err := procfs.NewProc(p.cmd.Process.Pid)
	must(p.t, err)
	return proc
}
