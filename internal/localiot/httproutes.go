package localiot

import (
	"iot.wasm/internal/localiot/httpapi"
	"iot.wasm/internal/localiot/iam"
)

// newAPI returns the HTTP APIs of the server with all their operations.
func (s *Server) newAPI() *httpapi.API {
	api := httpapi.New(httpapi.Options{
		Region:      region,
		Now:         s.clock.now,
		Lookup:      s.keys.Lookup,
		Permissions: s.permissions,
		Logger:      s.options.Logger,
	})
	api.AddEndpoint()
	api.AddShadows(httpShadows{s})
	api.AddPolicies(s.policies)
	api.AddThings(s.things, s.jobs.RemoveThing)
	api.AddJobs(s.jobs)
	api.AddJobsData(s.jobs)
	return api
}

// permissions returns the permissions of an access key for the HTTP APIs.
func (s *Server) permissions(accessKeyID string) httpapi.Permissions {
	key, ok := s.keys.Get(accessKeyID)
	if !ok {
		return iam.NewSession(region, nil, iam.Connection{}, nil) // allows nothing
	}
	return s.policies.Session(key.Owner, iam.Connection{})
}

// httpShadows implements httpapi.Shadows.
type httpShadows struct{ server *Server }

// Get implements httpapi.Shadows.
func (s httpShadows) Get(thing, name string) ([]byte, error) {
	return s.server.shadows.Get(thing, name, nil)
}

// Delete implements httpapi.Shadows.
func (s httpShadows) Delete(thing, name string) ([]byte, error) {
	return s.server.shadows.Delete(thing, name, nil)
}

// Update implements httpapi.Shadows.
func (s httpShadows) Update(thing, name string, body []byte) ([]byte, error) {
	updated, err := s.server.shadows.Update(thing, name, body)
	if err != nil {
		return nil, err
	}
	return updated.Accepted, nil
}

// ListNamed implements httpapi.Shadows.
func (s httpShadows) ListNamed(thing string, pageSize int, nextToken string) ([]byte, error) {
	return s.server.shadows.ListNamed(thing, pageSize, nextToken)
}
