#!/usr/bin/env bash
# This script creates what a page needs on an AWS account: an identity pool, its roles, and an AWS
# IoT policy. It creates the same as iot-wasm.yaml. A second run changes only what differs. It needs
# the AWS CLI (https://aws.amazon.com/cli/), with credentials of an administrator.
#
#   setup.sh up [name]                  create everything; the default name is iot-wasm
#   setup.sh attach <identity id> [name]  attach the AWS IoT policy to the identity of a signed-in user
#   setup.sh logging [name]             switch on the logs of AWS IoT, for the whole account and region
#   setup.sh logs                       print the failures of the last hour
#   setup.sh down [name]                delete what "up" and "logging" have created
#
# AWS_REGION selects the region; the default is that of the AWS CLI. For signed-in users of an
# Amazon Cognito user pool, set USER_POOL_ID and USER_POOL_CLIENT_ID before "up".
set -euo pipefail
export AWS_PAGER=
cd "$(dirname "$0")"

usage() {
	sed -n 's/^#   //p' "$0" >&2
	exit 2
}

region=${AWS_REGION:-$(aws configure get region || true)}
: "${region:?set AWS_REGION}"
export AWS_DEFAULT_REGION=$region

# render prints a policy of this folder for this account.
render() {
	sed -e "s/eu-west-1/$region/g" -e "s/123456789012/$account/g" -e "s/IDENTITY_POOL_ID/${pool:-}/g" "$1"
}

# find_pool prints the id of the identity pool, or nothing.
find_pool() {
	aws cognito-identity list-identity-pools --max-results 60 --output text \
		--query "IdentityPools[?IdentityPoolName=='$name'].IdentityPoolId" | head -n 1
}

# role creates or updates a role with one inline policy: role <name> <trust policy> <policy>
role() {
	if aws iam get-role --role-name "$1" >/dev/null 2>&1; then
		aws iam update-assume-role-policy --role-name "$1" --policy-document "$(render "$2")"
	else
		aws iam create-role --role-name "$1" --assume-role-policy-document "$(render "$2")" >/dev/null
	fi
	aws iam put-role-policy --role-name "$1" --policy-name iot --policy-document "$(render "$3")"
}

# iot_policy creates the AWS IoT policy, or makes a new version of it if the document differs. AWS
# keeps at most five versions of a policy.
iot_policy() {
	local wanted current oldest
	wanted=$(render user-policy.json)
	if ! current=$(aws iot get-policy --policy-name "$name-user" --query policyDocument --output text 2>/dev/null); then
		aws iot create-policy --policy-name "$name-user" --policy-document "$wanted" >/dev/null
	elif [ "$current" != "$wanted" ]; then
		if [ "$(aws iot list-policy-versions --policy-name "$name-user" --query 'length(policyVersions)' --output text)" -ge 5 ]; then
			oldest=$(aws iot list-policy-versions --policy-name "$name-user" --output text \
				--query 'sort_by(policyVersions[?!isDefaultVersion], &createDate)[0].versionId')
			aws iot delete-policy-version --policy-name "$name-user" --policy-version-id "$oldest"
		fi
		aws iot create-policy-version --policy-name "$name-user" --policy-document "$wanted" --set-as-default >/dev/null
	fi
}

up() {
	local options=(--identity-pool-name "$name" --allow-unauthenticated-identities --no-allow-classic-flow)
	if [ -n "${USER_POOL_ID:-}" ]; then
		: "${USER_POOL_CLIENT_ID:?set USER_POOL_CLIENT_ID}"
		options+=(--cognito-identity-providers
			"ProviderName=cognito-idp.$region.amazonaws.com/$USER_POOL_ID,ClientId=$USER_POOL_CLIENT_ID,ServerSideTokenCheck=true")
	fi
	pool=$(find_pool)
	if [ -z "$pool" ]; then
		pool=$(aws cognito-identity create-identity-pool "${options[@]}" --query IdentityPoolId --output text)
	else
		aws cognito-identity update-identity-pool --identity-pool-id "$pool" "${options[@]}" >/dev/null
	fi
	role "$name-guest" guest-trust.json guest-role-policy.json
	role "$name-user" user-trust.json user-role-policy.json
	aws cognito-identity set-identity-pool-roles --identity-pool-id "$pool" --roles \
		"unauthenticated=arn:aws:iam::$account:role/$name-guest,authenticated=arn:aws:iam::$account:role/$name-user"
	iot_policy
	echo "endpoint:       $(aws iot describe-endpoint --endpoint-type iot:Data-ATS --query endpointAddress --output text)"
	echo "identityPoolId: $pool"
}

logging() {
	role "$name-logging" logging-trust.json logging-role-policy.json
	aws iot set-v2-logging-options --role-arn "arn:aws:iam::$account:role/$name-logging" --default-log-level INFO
}

logs() {
	aws logs filter-log-events --log-group-name AWSIotLogsV2 --start-time "$((($(date +%s) - 3600) * 1000))" \
		--filter-pattern '{ $.status = "Failure" }' --query 'events[].message' --output text | tr '\t' '\n'
}

# delete_role deletes a role of this script, if it exists.
delete_role() {
	if aws iam get-role --role-name "$1" >/dev/null 2>&1; then
		aws iam delete-role-policy --role-name "$1" --policy-name iot
		aws iam delete-role --role-name "$1"
	fi
}

down() {
	local target version
	pool=$(find_pool)
	[ -z "$pool" ] || aws cognito-identity delete-identity-pool --identity-pool-id "$pool"
	delete_role "$name-guest"
	delete_role "$name-user"
	if aws iam get-role --role-name "$name-logging" >/dev/null 2>&1; then
		aws iot set-v2-logging-options --default-log-level DISABLED --role-arn "arn:aws:iam::$account:role/$name-logging"
		delete_role "$name-logging"
	fi
	if aws iot get-policy --policy-name "$name-user" >/dev/null 2>&1; then
		for target in $(aws iot list-targets-for-policy --policy-name "$name-user" --query 'targets[]' --output text); do
			aws iot detach-policy --policy-name "$name-user" --target "$target"
		done
		for version in $(aws iot list-policy-versions --policy-name "$name-user" --output text \
			--query 'policyVersions[?!isDefaultVersion].versionId'); do
			aws iot delete-policy-version --policy-name "$name-user" --policy-version-id "$version"
		done
		aws iot delete-policy --policy-name "$name-user"
	fi
}

command=${1:-}
case $command in
up | logging | down) name=${2:-iot-wasm} ;;
attach) name=${3:-iot-wasm} ;;
logs) ;;
*) usage ;;
esac
case $command in
attach) aws iot attach-policy --policy-name "$name-user" --target "${2:?the identity id is missing}" ;;
logs) logs ;;
*)
	account=$(aws sts get-caller-identity --query Account --output text)
	"$command"
	;;
esac
