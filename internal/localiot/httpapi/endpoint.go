package httpapi

import "slices"

// endpointTypes are the types of API_DescribeEndpoint.html. All have the same address here.
var endpointTypes = []string{"iot:Data", "iot:Data-ATS", "iot:Data-Beta", "iot:CredentialProvider", "iot:Jobs"}

// AddEndpoint registers DescribeEndpoint. It returns the host and port of the request as the address of
// every endpoint.
func (a *API) AddEndpoint() {
	a.Handle(Control, "DescribeEndpoint", "GET /endpoint", func(r *Request) (any, error) {
		if err := r.Authorize("iot:DescribeEndpoint", "*"); err != nil {
			return nil, err
		}
		if t := r.Query.Get("endpointType"); t != "" && !slices.Contains(endpointTypes, t) {
			return nil, Invalid("The endpointType is not valid.")
		}
		return map[string]string{"endpointAddress": r.Host}, nil
	})
}
