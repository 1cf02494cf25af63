package jobs

import (
	"encoding/json"
	"errors"
	"unicode/utf8"

	"iot.wasm/internal/localiot/jsontext"
)

// MaxControlBody is the largest body of a request of the control API, in bytes. A job document of 32 KiB
// with escaped characters fits into it.
const MaxControlBody = 256 << 10

// unsupported are the members of a CreateJob request (API_CreateJob.html) that change what a job does, and
// that the Service does not implement. A request with one of them is rejected. Other members that the
// Service does not implement are ignored: abortConfig, jobExecutionsRolloutConfig, presignedUrlConfig and
// tags.
var unsupported = []string{
	"destinationPackageVersions", "documentParameters", "documentSource", "jobExecutionsRetryConfig",
	"jobTemplateArn", "namespaceId", "schedulingConfig",
}

// ParseCreate decodes the body of a CreateJob request. An error is of the type *Error.
func ParseCreate(jobID string, body []byte) (CreateRequest, error) {
	var members map[string]json.RawMessage
	var r struct {
		Document        string   `json:"document"`
		Targets         []string `json:"targets"`
		Description     string   `json:"description"`
		TargetSelection string   `json:"targetSelection"`
		TimeoutConfig   struct {
			InProgressTimeoutInMinutes *int64 `json:"inProgressTimeoutInMinutes"`
		} `json:"timeoutConfig"`
	}
	if err := unmarshal(body, &members); err != nil {
		return CreateRequest{}, err
	}
	for _, name := range unsupported {
		if value, ok := members[name]; ok && string(value) != "null" {
			return CreateRequest{}, reject(InvalidRequest, "The local AWS IoT Core does not support %s", name)
		}
	}
	if err := unmarshal(body, &r); err != nil {
		return CreateRequest{}, err
	}
	return CreateRequest{
		JobID:             jobID,
		Document:          r.Document,
		Targets:           r.Targets,
		Description:       r.Description,
		TargetSelection:   r.TargetSelection,
		InProgressTimeout: r.TimeoutConfig.InProgressTimeoutInMinutes,
	}, nil
}

// ParseCancel decodes the body of a CancelJob request. It may be empty. An error is of the type *Error.
func ParseCancel(body []byte) (CancelRequest, error) {
	var r struct {
		Comment    string `json:"comment"`
		ReasonCode string `json:"reasonCode"`
	}
	if len(body) == 0 {
		return CancelRequest{}, nil
	}
	if err := unmarshal(body, &r); err != nil {
		return CancelRequest{}, err
	}
	return CancelRequest{Comment: r.Comment, ReasonCode: r.ReasonCode}, nil
}

// unmarshal decodes a JSON object.
func unmarshal(body []byte, v any) error {
	if len(body) > MaxControlBody || !utf8.Valid(body) || jsontext.Nesting(body) > maxNesting {
		return reject(InvalidRequest, "The request is too large, or not UTF-8, or has too many levels of nesting")
	}
	err := json.Unmarshal(body, v)
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mistyped):
		return reject(InvalidRequest, "The member %q of the request has the wrong type", mistyped.Field)
	case err != nil:
		return reject(InvalidRequest, "The request is not a valid JSON object")
	}
	return nil
}
