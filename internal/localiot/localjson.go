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
	Cognito     pool        `json:"cognito"`
}

// pool says where Cognito is, and which of its identity pools.
type pool struct {
	Endpoint       string `json:"endpoint"`
	IdentityPoolID string `json:"identityPoolId"`
}

// credentials have the names that the AWS SDK for JavaScript gives them.
type credentials struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

func (s *Server) serveLocalJSON(w http.ResponseWriter, r *http.Request) {
	secure := ""
	if r.TLS != nil {
		secure = "s"
	}
	allowOrigin(w, r)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(local{
		Endpoint:    "ws" + secure + "://" + r.Host + "/mqtt",
		Region:      region,
		Credentials: credentials{AccessKeyID: s.key.id, SecretAccessKey: s.key.Secret},
		Cognito:     pool{Endpoint: "http" + secure + "://" + r.Host + "/cognito", IdentityPoolID: s.cognito.pool},
	})
}
