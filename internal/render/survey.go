package render

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// surveyKey is the key of a ConfigMap with a compiled survey.
const surveyKey = "survey.json"

// largestSurvey is how large a compiled survey may be, in bytes of JSON: a ConfigMap holds 1 MiB with all that is in it.
const largestSurvey = 1<<20 - 4<<10

// configMap holds the compiled survey.
func (d Dedicated) configMap() (*corev1.ConfigMap, error) {
	body, err := json.Marshal(d.Survey)
	if err != nil {
		return nil, fmt.Errorf("write the survey: %w", err)
	}
	if len(body) > largestSurvey {
		return nil, fmt.Errorf("spec.survey: compiled, with its touchpoints and teams, it has %d bytes; a Dedicated endpoint takes at most %d", len(body), largestSurvey)
	}
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: d.meta(),
		Data:       map[string]string{surveyKey: string(body)},
	}, nil
}

// SurveyOf returns the survey of a ConfigMap that Objects made: the last good one.
func SurveyOf(configMap *corev1.ConfigMap) (*survey.Survey, error) {
	body, ok := configMap.Data[surveyKey]
	if !ok {
		return nil, fmt.Errorf("the ConfigMap %s has no key %s", configMap.Name, surveyKey)
	}
	s := &survey.Survey{}
	if err := json.Unmarshal([]byte(body), s); err != nil {
		return nil, fmt.Errorf("read %s of the ConfigMap %s: %w", surveyKey, configMap.Name, err)
	}
	return s, nil
}

// surveyHash is what the pods are rolled by.
func surveyHash(configMap *corev1.ConfigMap) string {
	sum := sha256.Sum256([]byte(configMap.Data[surveyKey]))
	return hex.EncodeToString(sum[:])
}
