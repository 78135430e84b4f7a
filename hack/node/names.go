//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
)

// nameServer answers for the Services of the cluster, by UDP, as the Kubernetes DNS specification has it
// (https://github.com/kubernetes/dns/blob/master/docs/specification.md), for addresses only: no SRV and no PTR records. It
// is not CoreDNS, since building that from source takes longer than everything else of the node.
type nameServer struct {
	conn      net.PacketConn
	informers informers.SharedInformerFactory
	end       context.CancelFunc
	done      chan struct{}

	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
}

// serveNames starts the name server at HostAddress and returns when it knows the Services that there are.
func serveNames(ctx context.Context, clients kubernetes.Interface) (*nameServer, error) {
	var config net.ListenConfig
	conn, err := config.ListenPacket(ctx, "udp", HostAddress+":53")
	if err != nil {
		return nil, fmt.Errorf("listening for questions about names: %w", err)
	}
	factory := informers.NewSharedInformerFactory(clients, 0)
	s := &nameServer{
		conn: conn, informers: factory, done: make(chan struct{}),
		services: factory.Core().V1().Services().Lister(),
		slices:   factory.Discovery().V1().EndpointSlices().Lister(),
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx)) // it ends by stop
	s.end = end
	factory.StartWithContext(life)
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return nil, errors.Join(fmt.Errorf("reading %s for the name server: %w", kind, context.Cause(ctx)), s.conn.Close())
		}
	}
	go s.serve()
	return s, nil
}

func (s *nameServer) stop() error {
	s.end()
	err := s.conn.Close()
	<-s.done
	s.informers.Shutdown()
	return err
}

func (s *nameServer) serve() {
	defer close(s.done)
	const longest = 4096
	question := make([]byte, longest)
	for {
		n, from, err := s.conn.ReadFrom(question)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // about one sender that has gone
		}
		if answer := reply(question[:n], s.lookup); answer != nil {
			_, _ = s.conn.WriteTo(answer, from) // who gets no answer asks again
		}
	}
}

// found is what is known of a name: addresses, or another name to ask for.
type found struct {
	addresses []netip.Addr
	alias     string
}

// reply answers one question. lookup gets a name in lower case without the final dot. nil means that there is nothing
// to say, as the question is no such thing.
func reply(question []byte, lookup func(string) (found, bool)) []byte {
	var message dnsmessage.Message
	if message.Unpack(question) != nil || message.Response || len(message.Questions) != 1 {
		return nil
	}
	asked := message.Questions[0]
	answer := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: message.ID, Response: true, Authoritative: true, RecursionDesired: message.RecursionDesired, RecursionAvailable: true,
		},
		Questions: message.Questions,
	}
	known, ok := lookup(strings.TrimSuffix(strings.ToLower(asked.Name.String()), "."))
	if !ok {
		answer.RCode = dnsmessage.RCodeNameError
	}
	header := dnsmessage.ResourceHeader{Name: asked.Name, Class: dnsmessage.ClassINET, TTL: 1}
	if alias, err := dnsmessage.NewName(known.alias + "."); known.alias != "" && err == nil {
		answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: alias}})
	}
	const most = 20 // what fits into the 512 bytes that everybody takes
	for _, address := range known.addresses[:min(len(known.addresses), most)] {
		if asked.Type == dnsmessage.TypeA && address.Is4() {
			answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: address.As4()}})
		}
	}
	packed, err := answer.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// lookup knows SERVICE.NAMESPACE.svc.cluster.local and, for the endpoints with a name of their own,
// ENDPOINT.SERVICE.NAMESPACE.svc.cluster.local.
func (s *nameServer) lookup(name string) (found, bool) {
	inside, ok := strings.CutSuffix(name, ".svc."+clusterDomain)
	if !ok {
		return found{}, false
	}
	parts := strings.Split(inside, ".")
	if len(parts) != 2 && len(parts) != 3 {
		return found{}, false
	}
	endpoint := strings.Join(parts[:len(parts)-2], "")
	service, err := s.services.Services(parts[len(parts)-1]).Get(parts[len(parts)-2])
	if err != nil {
		return found{}, false // a cache knows no other error than that there is none
	}
	switch {
	case endpoint == "" && service.Spec.Type == corev1.ServiceTypeExternalName:
		return found{alias: service.Spec.ExternalName}, true
	case endpoint == "" && service.Spec.ClusterIP != corev1.ClusterIPNone:
		address, err := netip.ParseAddr(service.Spec.ClusterIP)
		return found{addresses: []netip.Addr{address}}, err == nil
	}
	known, err := s.slices.EndpointSlices(service.Namespace).List(labels.Set{discoveryv1.LabelServiceName: service.Name}.AsSelector())
	if err != nil {
		return found{}, false
	}
	addresses := endpointAddresses(known, endpoint, service.Spec.PublishNotReadyAddresses)
	return found{addresses: addresses}, endpoint == "" || len(addresses) > 0
}

// endpointAddresses are those of the endpoints that are ready, or of the one with a name.
func endpointAddresses(known []*discoveryv1.EndpointSlice, name string, unready bool) []netip.Addr {
	var addresses []netip.Addr
	for _, slice := range known {
		for _, each := range slice.Endpoints {
			ready := unready || each.Conditions.Ready == nil || *each.Conditions.Ready
			named := name == "" || each.Hostname != nil && *each.Hostname == name
			if !ready || !named {
				continue
			}
			for _, text := range each.Addresses {
				if address, err := netip.ParseAddr(text); err == nil {
					addresses = append(addresses, address)
				}
			}
		}
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	return slices.Compact(addresses)
}
