//go:build linux

package node

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

func TestReply(t *testing.T) {
	lookup := func(name string) (found, bool) {
		switch name {
		case "web.shop.svc.cluster.local":
			return found{addresses: []netip.Addr{netip.MustParseAddr("10.96.0.7")}}, true
		case "elsewhere.shop.svc.cluster.local":
			return found{alias: "db.example.test"}, true
		case "many.shop.svc.cluster.local":
			return found{addresses: slices.Repeat([]netip.Addr{netip.MustParseAddr("10.244.0.9")}, 200)}, true
		}
		return found{}, false
	}
	tests := []struct {
		name, ask string
		kind      dnsmessage.Type
		code      dnsmessage.RCode
		answers   int
		want      string
	}{
		{name: "a Service", ask: "web.shop.svc.cluster.local.", kind: dnsmessage.TypeA, answers: 1, want: "10.96.0.7"},
		{name: "upper case", ask: "Web.Shop.svc.cluster.local.", kind: dnsmessage.TypeA, answers: 1, want: "10.96.0.7"},
		{name: "no address of the other family", ask: "web.shop.svc.cluster.local.", kind: dnsmessage.TypeAAAA},
		{name: "another name for it", ask: "elsewhere.shop.svc.cluster.local.", kind: dnsmessage.TypeA, answers: 1, want: "db.example.test."},
		{name: "unknown", ask: "none.shop.svc.cluster.local.", kind: dnsmessage.TypeA, code: dnsmessage.RCodeNameError},
		{name: "no more than fits", ask: "many.shop.svc.cluster.local.", kind: dnsmessage.TypeA, answers: 20, want: "10.244.0.9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packed := reply(question(t, tt.ask, tt.kind), lookup)
			var got dnsmessage.Message
			if err := got.Unpack(packed); err != nil {
				t.Fatal(err)
			}
			if got.ID != 77 || !got.Response || got.RCode != tt.code || len(got.Answers) != tt.answers {
				t.Fatalf("id %d, response %t, code %s, %d answers; want 77, true, %s, %d",
					got.ID, got.Response, got.RCode, len(got.Answers), tt.code, tt.answers)
			}
			if len(packed) > 512 {
				t.Errorf("%d bytes, more than a plain question may be answered with", len(packed))
			}
			for _, answer := range got.Answers {
				var text string
				switch body := answer.Body.(type) {
				case *dnsmessage.AResource:
					text = netip.AddrFrom4(body.A).String()
				case *dnsmessage.CNAMEResource:
					text = body.CNAME.String()
				}
				if text != tt.want {
					t.Errorf("answer %q, want %q", text, tt.want)
				}
			}
		})
	}
}

func TestReplyToNoQuestion(t *testing.T) {
	all := func(string) (found, bool) { return found{}, true }
	answer := dnsmessage.Message{Header: dnsmessage.Header{Response: true}}
	packed, err := answer.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"nothing": nil, "noise": []byte("hello"), "an answer": packed} {
		if got := reply(content, all); got != nil {
			t.Errorf("%s was answered by %q", name, got)
		}
	}
}

func FuzzReply(f *testing.F) {
	f.Add([]byte{0, 77, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1})
	f.Fuzz(func(t *testing.T, content []byte) {
		got := reply(content, func(string) (found, bool) { return found{alias: "b"}, true })
		var message dnsmessage.Message
		if got != nil && message.Unpack(got) != nil {
			t.Errorf("%x was answered by what nobody can read: %x", content, got)
		}
	})
}

func TestLookup(t *testing.T) {
	service := func(name string, change func(*corev1.ServiceSpec)) *corev1.Service {
		s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
		change(&s.Spec)
		return s
	}
	headless := func(s *corev1.ServiceSpec) { s.ClusterIP = corev1.ClusterIPNone }
	services := index(t,
		service("web", func(s *corev1.ServiceSpec) { s.ClusterIP = "10.96.0.7" }),
		service("db", headless),
		service("early", func(s *corev1.ServiceSpec) { headless(s); s.PublishNotReadyAddresses = true }),
		service("elsewhere", func(s *corev1.ServiceSpec) {
			s.Type, s.ExternalName = corev1.ServiceTypeExternalName, "db.example.test"
		}),
	)
	endpoints := func(service string) *discoveryv1.EndpointSlice {
		return &discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "shop", Name: service + "-1", Labels: map[string]string{discoveryv1.LabelServiceName: service},
			},
			Endpoints: []discoveryv1.Endpoint{
				{Addresses: []string{"10.244.0.4"}, Hostname: ptr.To("db-1")},
				{Addresses: []string{"10.244.0.3"}, Hostname: ptr.To("db-0")},
				{Addresses: []string{"10.244.0.5"}, Hostname: ptr.To("db-2"), Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(false)}},
			},
		}
	}
	s := &nameServer{
		services: corelisters.NewServiceLister(services),
		slices:   discoverylisters.NewEndpointSliceLister(index(t, endpoints("db"), endpoints("early"))),
	}
	tests := []struct {
		name    string
		want    []string
		alias   string
		unknown bool
	}{
		{name: "web.shop.svc.cluster.local", want: []string{"10.96.0.7"}},
		{name: "db.shop.svc.cluster.local", want: []string{"10.244.0.3", "10.244.0.4"}},
		{name: "db-1.db.shop.svc.cluster.local", want: []string{"10.244.0.4"}},
		{name: "db-2.db.shop.svc.cluster.local", unknown: true},
		{name: "early.shop.svc.cluster.local", want: []string{"10.244.0.3", "10.244.0.4", "10.244.0.5"}},
		{name: "elsewhere.shop.svc.cluster.local", alias: "db.example.test"},
		{name: "web.other.svc.cluster.local", unknown: true},
		{name: "web.shop.svc.cluster.local.shop.svc.cluster.local", unknown: true},
		{name: "shop.svc.cluster.local", unknown: true},
		{name: "example.test", unknown: true},
	}
	for _, tt := range tests {
		got, ok := s.lookup(tt.name)
		if ok == tt.unknown || got.alias != tt.alias {
			t.Errorf("%s: known %t, alias %q", tt.name, ok, got.alias)
		}
		var addresses []string
		for _, address := range got.addresses {
			addresses = append(addresses, address.String())
		}
		if diff := cmp.Diff(tt.want, addresses); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func question(t *testing.T, name string, kind dnsmessage.Type) []byte {
	t.Helper()
	message := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 77, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
	packed, err := message.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func index(t *testing.T, objects ...runtime.Object) cache.Indexer {
	t.Helper()
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	for _, object := range objects {
		if err := indexer.Add(object); err != nil {
			t.Fatal(err)
		}
	}
	return indexer
}
