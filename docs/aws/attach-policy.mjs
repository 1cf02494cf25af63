// A Lambda function that attaches the AWS IoT policy to the identity of a signed-in user. A page
// calls it once, with the user's id token in the header Authorization, before the first connect().
//
// Environment: IDENTITY_POOL_ID; PROVIDER, the name of the login provider in the identity pool;
// POLICY, the name of the AWS IoT policy. The role of the function needs the permission
// iot:AttachPolicy. The runtimes of Lambda contain the two packages of the AWS SDK.
import { CognitoIdentityClient, GetCredentialsForIdentityCommand, GetIdCommand } from "@aws-sdk/client-cognito-identity";
import { AttachPolicyCommand, IoTClient } from "@aws-sdk/client-iot";

const cognito = new CognitoIdentityClient();
const iot = new IoTClient();

export async function handler(event) {
  const token = (event.headers?.authorization ?? "").replace(/^Bearer /, "");
  const Logins = { [process.env.PROVIDER]: token };
  let IdentityId;
  try {
    // The page does not choose the identity: the token determines it. Cognito returns credentials
    // only if the token is valid.
    ({ IdentityId } = await cognito.send(new GetIdCommand({ IdentityPoolId: process.env.IDENTITY_POOL_ID, Logins })));
    await cognito.send(new GetCredentialsForIdentityCommand({ IdentityId, Logins }));
  } catch {
    return { statusCode: 403 };
  }
  // A second call for the same identity has no effect.
  await iot.send(new AttachPolicyCommand({ policyName: process.env.POLICY, target: IdentityId }));
  return { statusCode: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ identityId: IdentityId }) };
}
