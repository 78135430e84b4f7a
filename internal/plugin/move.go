package plugin

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/transfer"
)

func (a *app) importCommand() *cobra.Command {
	return transfer.NewImportCommand("kubectl cx", a.endpoint)
}

func (a *app) exportCommand() *cobra.Command {
	return transfer.NewExportCommand("kubectl cx", a.endpoint)
}

// endpoint finds a program in the cluster: its address in its status, and one of its tokens in its Secret, which whoever may
// read it may use.
func (a *app) endpoint(ctx context.Context, program, token string) (transfer.Endpoint, error) {
	c, namespace, err := a.connect()
	if err != nil {
		return transfer.Endpoint{}, err
	}
	key := store.Key{Namespace: namespace, Name: program}
	if ns, name, ok := strings.Cut(program, "/"); ok {
		key = store.Key{Namespace: ns, Name: name}
	}
	var p v1alpha1.SurveyProgram
	if err := c.Get(ctx, client.ObjectKey{Namespace: key.Namespace, Name: key.Name}, &p); err != nil {
		return transfer.Endpoint{}, fmt.Errorf("get program: %w", err)
	}
	var secret corev1.Secret
	if err := c.Get(ctx, client.ObjectKey{Namespace: key.Namespace, Name: key.Name + "-tokens"}, &secret); err != nil {
		return transfer.Endpoint{}, fmt.Errorf("get the program's tokens: %w", err)
	}
	address, err := origin(p.Status.URL)
	if err != nil {
		return transfer.Endpoint{}, fmt.Errorf("program %s: %w", key, err)
	}
	return transfer.Endpoint{Program: key, URL: address, Token: string(secret.Data[token])}, nil
}

// origin is the address of an endpoint, from that of a program's page.
func origin(page string) (string, error) {
	u, err := url.Parse(page)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("it is not served yet: status.url is %q; give --url", page)
	}
	return u.Scheme + "://" + u.Host, nil
}
