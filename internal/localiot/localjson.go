package localiot

import (
	"encoding/json"
	"net/http"
)

// local is the body of /local.json: what a page needs to reach this server.
type local struct {
	Endpoint    string      `json:"endpoint"`
	Region      string      `json:"region"`
	Credentials credentials `json:"credentials"`
}

// credentials have the names that the AWS SDK for JavaScript gives them.
type credentials struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

func (s *Server) serveLocalJSON(w http.ResponseWriter, r *http.Request) {
	scheme := "ws"
	if r.TLS != nil {
		scheme = "wss"
	}
	allowOrigin(w, r)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(local{
		Endpoint:    scheme + "://" + r.Host + "/mqtt",
		Region:      region,
		Credentials: credentials{AccessKeyID: s.key.id, SecretAccessKey: s.key.Secret},
	})
}
