package profile

import (
	"fmt"
	"slices"
	"strings"
)

// Manifests of Kubernetes (k8s.io/api v0.37: core/v1 SeccompProfile, PodSpec). Each container of a pod,
// or of a pod's template, is a profile. What the API server refuses is an error; its rules are those of
// pkg/apis/core/validation, and the kubelet's those of pkg/kubelet/kuberuntime.

var _ = registerFormat(format{
	name: Kubernetes, title: "Kubernetes: pods and whatever has a pod's template, in YAML or JSON",
	runtime: RuntimeContainerd, caps: true, rank: rankTyped,
	dialect: dialect{who: "the container runtime", docker: true, errnos: true},
	is:      func(doc document) bool { _, ok := podOf(doc); return ok },
	read:    readKubernetes,
	target: func(p *Profile, t *Target) {
		if p.Container != nil {
			t.Caps, t.NoNewPrivs = p.Container.Caps(t.Runtime), p.Container.NoNewPrivs
		}
	},
})

// podPaths lead to the pod or its template in the kinds of Kubernetes' own.
var podPaths = map[string][]string{
	"Pod":                   {},
	"PodTemplate":           {"template"},
	"Deployment":            {"spec", "template"},
	"ReplicaSet":            {"spec", "template"},
	"ReplicationController": {"spec", "template"},
	"StatefulSet":           {"spec", "template"},
	"DaemonSet":             {"spec", "template"},
	"Job":                   {"spec", "template"},
	"CronJob":               {"spec", "jobTemplate", "spec", "template"},
}

// podGroups are the groups that those kinds are of, without the version; the core group has no name.
var podGroups = []string{"", "apps", "batch", "extensions"}

// A podPlace is where a document has the metadata and the spec of a pod.
type podPlace struct {
	at   value  // the object that has both
	path string // to it: "spec.template"; "" is the document
}

// podOf finds the pod in a resource: by the kind, or in a resource of another group by the shape that
// they have in common, a pod's template below spec with a list of containers (Knative's Service, Argo's
// Rollout, OpenShift's DeploymentConfig). What has no containers for Linux is left out: a patch for
// Kustomize, say.
func podOf(doc document) (podPlace, bool) {
	group, _, versioned := strings.Cut(doc.word(doc.root, "apiVersion"), "/")
	kind := doc.word(doc.root, "kind")
	if group == "" || kind == "" {
		return podPlace{}, false
	}
	if !versioned {
		group = ""
	}
	path, known := podPaths[kind]
	if known = known && slices.Contains(podGroups, group); !known {
		path = []string{"spec", "template"}
	}
	place := podPlace{doc.root, strings.Join(path, ".")}
	if len(path) > 0 {
		if place.at = doc.member(doc.root, path...); place.at == 0 {
			return place, false
		}
	}
	spec := doc.member(place.at, "spec")
	if spec == 0 || doc.word(spec, "os", "name") == "windows" { // which has no seccomp
		return place, false
	}
	return place, slices.ContainsFunc(containerLists, func(list containerList) bool {
		v := doc.member(spec, list.field)
		return v != 0 && (known || doc.kind(v) == "an array")
	})
}

// maxContainers bounds the containers of a file: far more than a cluster's manifests have.
const maxContainers = 10000

// A manifest reads the containers of one resource.
type manifest struct {
	*decoder // of problems that all containers share; each container has its own profile
	f        *file
	doc      document
	resource string // "Deployment/web"
	pod      *SeccompField
	notes    []Problem // about the pod, which its first container tells
	labels   map[string]annotation
}

// An annotation is one that asked for a profile until Kubernetes 1.26.
type annotation struct {
	Name        // the key
	want string // its value
}

// The annotations (k8s.io/api core/v1 SeccompPodAnnotationKey, SeccompContainerAnnotationKeyPrefix).
const (
	podAnnotation       = "seccomp.security.alpha.kubernetes.io/pod"
	containerAnnotation = "container.seccomp.security.alpha.kubernetes.io/"
)

// readKubernetes reads all containers. Each stands for itself: one that is refused does not keep the
// others from being read.
func readKubernetes(f *file, doc document) error {
	place, ok := podOf(doc)
	d := f.decoder(doc)
	if !ok {
		return d.errorf(doc.root, "", "no resource with a pod: want a kind such as Pod or Deployment, or spec.template.spec.containers")
	}
	name := doc.word(doc.root, "metadata", "name")
	if name == "" {
		name = doc.word(doc.root, "metadata", "generateName")
	}
	m := &manifest{decoder: d, f: f, doc: doc, resource: oneLine(strings.TrimSuffix(doc.word(doc.root, "kind")+"/"+name, "/"))}
	return m.read(place)
}

func (m *manifest) read(place podPlace) error {
	path := func(field string) string { return strings.TrimPrefix(place.path+"."+field, ".") }
	spec := m.doc.member(place.at, "spec")
	var err error
	if m.labels, err = m.annotations(place.at, path("metadata")); err != nil {
		return err
	}
	fields, err := m.object(spec, path("spec"), "securityContext")
	if err != nil {
		return err
	}
	m.misplaced(spec, path("spec"), "securityContext")
	context := path("spec.securityContext")
	if v := fields["securityContext"]; v != 0 {
		if m.pod, err = m.seccompField(v, context); err != nil {
			return err
		}
	}
	m.notes, m.p.Problems = m.p.Problems, nil
	return m.lists(spec, path("spec"))
}

type containerList struct{ field, kind string }

// containerLists are the lists of containers in a pod, with what one of each is called.
var containerLists = []containerList{
	{"initContainers", "init container"}, {"containers", "container"}, {"ephemeralContainers", "ephemeral container"},
}

// lists reads the lists of containers. The error is the first, of what the others do without.
func (m *manifest) lists(spec value, path string) (first error) {
	count := 0
	for _, list := range containerLists {
		v := m.doc.member(spec, list.field)
		if v == 0 {
			continue
		}
		at := path + "." + list.field
		err := m.list(v, at, func(i int, c value) error {
			count++
			if len(m.f.profiles) >= maxContainers {
				return m.errorf(c, at, "more than %d containers in a file", maxContainers)
			}
			if err := m.container(c, list.kind, fmt.Sprintf("%s[%d]", at, i)); err != nil && first == nil {
				first = err
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if count == 0 && first == nil {
		return m.errorf(spec, path+".containers", "no containers, of which a pod must have one")
	}
	return first
}

// annotations finds those that asked for a profile.
func (m *manifest) annotations(at value, path string) (map[string]annotation, error) {
	v := m.doc.member(at, "metadata", "annotations")
	if v == 0 || m.src.isNull(v) {
		return nil, nil
	}
	path += ".annotations"
	if err := m.want(v, path, "an object"); err != nil {
		return nil, err
	}
	found := map[string]annotation{}
	err := m.src.members(v, func(key, val value) error {
		text := m.src.text(key)
		if text != podAnnotation && !strings.HasPrefix(text, containerAnnotation) {
			return nil
		}
		want, err := m.str(val, path)
		found[text] = annotation{Name{oneLine(text), m.src.pos(key)}, oneLine(want)}
		return err
	})
	return found, err
}

// object collects some members of an object; null is an empty one. Of a key that comes twice the last
// counts.
func (m *manifest) object(v value, path string, keys ...string) (map[string]value, error) {
	if m.src.isNull(v) {
		return nil, nil
	}
	if err := m.want(v, path, "an object"); err != nil {
		return nil, err
	}
	found := map[string]value{}
	// The callback never fails.
	_ = m.src.members(v, func(key, val value) error {
		text := m.src.text(key)
		i := slices.IndexFunc(keys, func(k string) bool { return strings.EqualFold(k, text) })
		switch {
		case i < 0:
			return nil
		case keys[i] != text:
			m.suggest(key, UnknownField, path, text, keys[i], "Kubernetes knows no field %q: ignored", clip(text))
			return nil
		case found[text] != 0:
			m.problem(key, DuplicateKey, path, text, "the key %q came before in this object: the last one counts", text)
		}
		found[text] = val
		return nil
	})
	return found, nil
}

// misplaced notes fields of a profile that stand where nothing reads them.
func (m *manifest) misplaced(v value, path, belongs string) {
	words := []string{"seccompProfile"}
	if belongs == "seccompProfile" {
		words = []string{"type", "localhostProfile"}
	}
	// The callback never fails.
	_ = m.src.members(v, func(key, _ value) error {
		if text := m.src.text(key); slices.Contains(words, text) {
			m.problem(key, UnknownField, path, text, "%q stands outside of %s, where nothing reads it", text, belongs)
		}
		return nil
	})
}
