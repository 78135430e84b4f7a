package validate

import (
	"context"
	"fmt"
	"io/fs"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	v1alpha1 "github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/config/crd"
)

// kind checks objects of one kind as the API server does.
type kind struct {
	structural *structuralschema.Structural
	schema     validation.SchemaValidator
	rules      *cel.Validator
}

// kinds returns the kinds of this project's group by name, from the CRDs in the binary. Compiling their rules takes a
// moment, so it is done once.
var kinds = sync.OnceValues(func() (map[string]*kind, error) {
	files, err := fs.Glob(crd.Bases, "bases/*.yaml")
	if err != nil {
		return nil, err
	}
	out := map[string]*kind{}
	for _, file := range files {
		content, err := crd.Bases.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name, k, err := compileKind(content)
		if err != nil {
			return nil, fmt.Errorf("CRD %s: %w", file, err)
		}
		out[name] = k
	}
	return out, nil
})

func compileKind(content []byte) (string, *kind, error) {
	var external apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(content, &external); err != nil {
		return "", nil, err
	}
	for _, version := range external.Spec.Versions {
		if version.Name != v1alpha1.GroupVersion.Version || version.Schema == nil {
			continue
		}
		var schema apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, &schema, nil); err != nil {
			return "", nil, err
		}
		structural, err := structuralschema.NewStructural(&schema)
		if err != nil {
			return "", nil, err
		}
		validator, _, err := validation.NewSchemaValidator(&schema)
		if err != nil {
			return "", nil, err
		}
		return external.Spec.Names.Kind, &kind{
			structural: structural,
			schema:     validator,
			rules:      cel.NewValidator(structural, true, celconfig.PerCallLimit),
		}, nil
	}
	return "", nil, fmt.Errorf("has no version %s", v1alpha1.GroupVersion.Version)
}

// admit does to an object what the API server does when it is created with strict field validation: it removes status
// and unknown fields, fills in the defaults, and returns everything that would refuse it.
func (k *kind) admit(object map[string]any) field.ErrorList {
	meta, _, unknown, err := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return field.ErrorList{field.Invalid(field.NewPath("metadata"), field.OmitValueType{}, err.Error())}
	}
	unknown = append(unknown, pruning.PruneWithOptions(object, k.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})...)
	delete(object, "status")
	defaulting.PruneNonNullableNullsWithoutDefaults(object, k.structural)
	defaulting.Default(object, k.structural)

	var errs field.ErrorList
	for _, path := range unknown {
		errs = append(errs, field.Forbidden(field.NewPath(path), "unknown field"))
	}
	errs = append(errs, validateMeta(meta)...)
	return append(errs, k.validate(object)...)
}

func validateMeta(meta *metav1.ObjectMeta) field.ErrorList {
	named := &metav1.ObjectMeta{}
	if meta != nil {
		meta.DeepCopyInto(named)
	}
	if named.Name == "" && named.GenerateName != "" {
		named.Name = named.GenerateName + "x"
	}
	return apimachineryvalidation.ValidateObjectMeta(named, true, apimachineryvalidation.NameIsDNSSubdomain, field.NewPath("metadata"))
}

// validate applies the schema, the list types and, unless the object is too malformed for them, the rules.
func (k *kind) validate(object map[string]any) field.ErrorList {
	ctx := context.Background()
	errs := validation.ValidateCustomResource(nil, object, k.schema)
	errs = append(errs, objectmeta.Validate(ctx, nil, object, k.structural, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, k.structural, object)...)
	if k.rules == nil || blocksRules(errs) {
		return errs
	}
	violated, _ := k.rules.Validate(ctx, nil, k.structural, object, nil, celconfig.RuntimeCELCostBudget)
	return append(errs, violated...)
}

// blocksRules says whether the object is so malformed that the API server does not evaluate the rules.
func blocksRules(errs field.ErrorList) bool {
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		}
	}
	return false
}
