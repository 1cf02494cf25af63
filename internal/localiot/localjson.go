package localiot

import (
	"encoding/json"
	"net/http"

	"iot.wasm/internal/localiot/web"
)

// local is the body of /local.json. It contains the options with which a page connects to this server.
type local struct {
	Endpoint    string      `json:"endpoint"` // ws: or wss: URL
	Region      string      `json:"region"`
	Credentials credentials `json:"credentials"`
	Cognito     pool        `json:"cognito"`
}

// pool contains the URL of Cognito and the id of its identity pool.
type pool struct {
	Endpoint       string `json:"endpoint"` // http: or https: URL
	IdentityPoolID string `json:"identityPoolId"`
}

// credentials are the long-term key of this server, with the member names of the AWS SDK for
// JavaScript.
type credentials struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

func (s *Server) serveLocalJSON(w http.ResponseWriter, r *http.Request) {
	secure := ""
	if r.TLS != nil {
		secure = "s"
	}
	web.AllowOrigin(w, r)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(local{
		Endpoint:    "ws" + secure + "://" + r.Host + "/mqtt",
		Region:      s.options.Region,
		Credentials: credentials{AccessKeyID: s.key.ID, SecretAccessKey: s.key.Secret},
		Cognito:     pool{Endpoint: "http" + secure + "://" + r.Host + "/cognito", IdentityPoolID: s.cognito.ID()},
	})
}
