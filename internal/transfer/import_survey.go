package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/validate"
)

// ReadSurvey compiles a program from its manifests. Objects without a namespace are taken for the program's.
func ReadSurvey(paths []string, key store.Key, stdin io.Reader) (*survey.Survey, error) {
	sources, err := validate.Read(paths, stdin)
	if err != nil {
		return nil, fmt.Errorf("--survey: %w", err)
	}
	report, err := validate.Check(sources, validate.Options{Namespace: key.Namespace, AllowMissing: true})
	if err != nil {
		return nil, err
	}
	if len(report.Problems) > 0 {
		return nil, fmt.Errorf("--survey: the manifests are not valid: %s (cx-operator validate lists %d in all)", report.Problems[0], len(report.Problems))
	}
	var found manifests
	for _, source := range sources {
		if err := found.read(source, key); err != nil {
			return nil, fmt.Errorf("--survey: %s: %w", source.Name, err)
		}
	}
	if found.program == nil {
		return nil, fmt.Errorf("--survey: there is no SurveyProgram %s in the files", key)
	}
	compiled, problems := survey.Compile(found.program, found.touchpoints, found.teams)
	if compiled == nil {
		return nil, fmt.Errorf("--survey: %s: %s", problems[0].Field, problems[0].Message)
	}
	return compiled, nil
}

// manifests are the objects that make a survey.
type manifests struct {
	program     *v1alpha1.SurveyProgram
	touchpoints []v1alpha1.Touchpoint
	teams       []v1alpha1.Team
}

func (m *manifests) read(source validate.Source, key store.Key) error {
	docs := yamlutil.NewYAMLReader(bufio.NewReader(bytes.NewReader(source.Content)))
	for {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := m.add(doc, key); err != nil {
			return err
		}
	}
}

func (m *manifests) add(doc []byte, key store.Key) error {
	var object struct {
		metav1.TypeMeta `json:",inline"`
		Items           []any `json:"items"`
	}
	if err := yaml.Unmarshal(doc, &object); err != nil {
		return err
	}
	if object.APIVersion == "v1" && object.Kind == "List" {
		for _, item := range object.Items {
			inner, err := yaml.Marshal(item)
			if err != nil {
				return err
			}
			if err := m.add(inner, key); err != nil {
				return err
			}
		}
		return nil
	}
	if !strings.HasPrefix(object.APIVersion, v1alpha1.GroupVersion.Group+"/") {
		return nil
	}
	switch object.Kind {
	case "SurveyProgram":
		var p v1alpha1.SurveyProgram
		if err := into(doc, &p, &p.ObjectMeta, key); err != nil {
			return err
		}
		if p.Namespace == key.Namespace && p.Name == key.Name {
			m.program = &p
		}
	case "Touchpoint":
		m.touchpoints = append(m.touchpoints, v1alpha1.Touchpoint{})
		t := &m.touchpoints[len(m.touchpoints)-1]
		return into(doc, t, &t.ObjectMeta, key)
	case "Team":
		m.teams = append(m.teams, v1alpha1.Team{})
		t := &m.teams[len(m.teams)-1]
		return into(doc, t, &t.ObjectMeta, key)
	}
	return nil
}

func into(doc []byte, object any, meta *metav1.ObjectMeta, key store.Key) error {
	if err := yaml.Unmarshal(doc, object); err != nil {
		return err
	}
	if meta.Namespace == "" {
		meta.Namespace = key.Namespace
	}
	return nil
}
